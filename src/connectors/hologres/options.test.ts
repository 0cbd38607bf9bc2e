import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import type { Json } from '../../lib/json-value.ts';
import { nameProblem, quoteName, quoteText } from './names.ts';
import { DEFAULT_OPTIONS, parseHologresOptions, parseHologresSettings } from './options.ts';

const JDBC = { jdbcUrl: 'jdbc:postgresql://db.example:5433/my%20data?x=y', username: 'u', password: '' };

void describe('the settings of a Hologres data source', () => {
  void it('come as an endpoint with access keys, or as a JDBC address', () => {
    const content = { endpoint: 'holo.example:80', database: 'd', accessId: 'id', accessKey: 'secret' };
    assert.deepEqual(parseHologresSettings(content, DEFAULT_HOST_POLICY), {
      host: 'holo.example',
      port: 80,
      database: 'd',
      user: 'id',
      password: 'secret',
      ssl: { mode: 'disabled' },
      hosts: DEFAULT_HOST_POLICY,
    });
    assert.deepEqual(parseHologresSettings({ ...JDBC, ssl: { mode: 'verify-full', ca: 'PEM' } }, DEFAULT_HOST_POLICY), {
      host: 'db.example',
      port: 5433,
      database: 'my data',
      user: 'u',
      password: '',
      ssl: { mode: 'verify-identity', ca: 'PEM' },
      hosts: DEFAULT_HOST_POLICY,
    });
    assert.equal(
      parseHologresSettings({ ...JDBC, jdbcUrl: 'jdbc:postgresql://[::1]/d' }, DEFAULT_HOST_POLICY).host,
      '::1',
    );
  });

  void it('take TLS from the JDBC address where ssl says nothing', () => {
    const content = { jdbcUrl: 'jdbc:postgresql://h/d?sslmode=verify-full', username: 'u', password: 'p' };
    assert.deepEqual(
      [
        parseHologresSettings(content, DEFAULT_HOST_POLICY).ssl.mode,
        parseHologresSettings({ ...content, ssl: { mode: 'required' } }, DEFAULT_HOST_POLICY).ssl.mode,
      ],
      ['verify-identity', 'required'],
    );
  });

  void it('name the parameter that is wrong', () => {
    const cases: readonly (readonly [Json, string])[] = [
      [null, 'Content'],
      [[], 'Content'],
      [{}, 'Content.jdbcUrl'],
      [{ ...JDBC, jdbcUrl: 'jdbc:mysql://h/d' }, 'Content.jdbcUrl'],
      [{ ...JDBC, jdbcUrl: 'jdbc:postgresql://h:99999/d' }, 'Content.jdbcUrl'],
      [{ ...JDBC, jdbcUrl: 'jdbc:postgresql://h/%zz' }, 'Content.jdbcUrl'],
      [{ ...JDBC, username: 7 }, 'Content.username'],
      [{ ...JDBC, password: null }, 'Content.password'],
      [{ ...JDBC, ssl: { mode: 'maybe' } }, 'Content.ssl.mode'],
      [{ endpoint: 'h:p', database: 'd' }, 'Content.endpoint'],
      [{ endpoint: 'h:80', accessId: 'a', accessKey: 'k' }, 'Content.database'],
    ];
    for (const [content, parameter] of cases) {
      assert.throws(() => parseHologresSettings(content, DEFAULT_HOST_POLICY), { name: 'SettingsError', parameter });
    }
  });
});

void describe('the options of the Hologres writer', () => {
  void it('have defaults, and ignore what is not theirs', () => {
    assert.deepEqual(parseHologresOptions({ datasource: 'x', writePath: 'fixed' }), {
      ...DEFAULT_OPTIONS,
      writePath: 'fixed',
    });
    assert.deepEqual(parseHologresOptions(null), DEFAULT_OPTIONS);
  });

  void it('are refused by name', () => {
    assert.throws(() => parseHologresOptions({ writePath: 'fast' }), { name: 'SettingsError', parameter: 'writePath' });
    assert.throws(() => parseHologresOptions({ tableProperties: { a: 1 } }), { parameter: 'tableProperties' });
    assert.throws(() => parseHologresOptions({ schema: '' }), { parameter: 'schema' });
    assert.throws(() => parseHologresOptions({ table: 'ods_${tableName}' }), {
      parameter: 'table',
      message:
        'table: ${tableName} is not known; give the name of the target; ${srcTableName}, ${srcDatabaseName} and ${srcDatasourceName} stand for what they say',
    });
  });
});

void describe('names', () => {
  void it('are quoted and measured in bytes', () => {
    assert.equal(quoteName('a"b'), '"a""b"');
    assert.equal(quoteText("it's \\"), "E'it''s \\\\'");
    assert.equal(nameProblem('the name', 'ü'.repeat(31)), null);
    assert.match(nameProblem('the name', 'ü'.repeat(32)) ?? '', /has 64 bytes/);
  });
});
