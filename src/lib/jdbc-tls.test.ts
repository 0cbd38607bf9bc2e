import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsOfJdbcUrl } from './jdbc-tls.ts';

test('TLS that a JDBC URL asks for is found, in all its words', () => {
  const cases: [settings: string, mode: string | null][] = [
    ['', null],
    ['?useSSL=false', null],
    ['?useSSL=true', 'verify-identity'],
    ['?a=b&useSSL=TRUE&verifyServerCertificate=false', 'required'],
    ['?requireSSL=true', 'verify-identity'],
    ['?ssl=true', 'verify-identity'],
    ['?sslMode=REQUIRED', 'required'],
    ['?sslMode=VERIFY_CA', 'verify-ca'],
    ['?sslMode=VERIFY_IDENTITY', 'verify-identity'],
    ['?sslMode=PREFERRED&useSSL=true', null],
    ['?sslMode=DISABLED', null],
    ['?user=u;sslmode=verify-full', 'verify-identity'],
    ['?sslmode=require', 'required'],
    ['?sslmode=prefer', null],
  ];
  for (const [settings, mode] of cases)
    assert.deepEqual([settings, tlsOfJdbcUrl(`jdbc:mysql://h:1/d${settings}`)], [settings, mode]);
});
