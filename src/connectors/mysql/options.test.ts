import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import type { Json } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';
import { DEFAULT_READER_OPTIONS, parseMysqlSettings, parseReaderOptions } from './options.ts';

void test('a reader without options has the defaults, and options of other readers are left alone', () => {
  assert.deepEqual(parseReaderOptions({}), DEFAULT_READER_OPTIONS);
  assert.deepEqual(parseReaderOptions({ splitPk: 'id', encoding: 'utf8', xa: 'atPrepare', loadParallelism: 4 }), {
    ...DEFAULT_READER_OPTIONS,
    xa: 'atPrepare',
    loadParallelism: 4,
  });
});

void test('an option that cannot be used is refused by its name', () => {
  const cases: readonly (readonly [Json, string])[] = [
    [{ xa: 'never' }, 'xa'],
    [{ dmlPolicies: { delete: 'Ignore' } }, 'dmlPolicies'],
    [{ dmlPolicies: { merge: 'IGNORE' } }, 'dmlPolicies'],
    [{ dmlPolicies: 'IGNORE' }, 'dmlPolicies'],
    [{ xaSpillBytesMax: -1 }, 'xaSpillBytesMax'],
    [{ xaAgeSecondsMax: 0 }, 'xaAgeSecondsMax'],
    [{ loadParallelism: 17 }, 'loadParallelism'],
    [{ loadParallelism: '2' }, 'loadParallelism'],
    [{ loadRowsPerSecondMax: 0.5 }, 'loadRowsPerSecondMax'],
  ];
  for (const [parameter, name] of cases) {
    assert.throws(
      () => parseReaderOptions(parameter),
      (error: unknown) => error instanceof SettingsError && error.parameter === name && error.message.startsWith(name),
    );
  }
});

void test('TLS is what the content says, else what its URL asks for', () => {
  const modeOf = (content: Json) => parseMysqlSettings(content, DEFAULT_HOST_POLICY).ssl.mode;
  const account = { username: 'u', password: 'p' };
  const url = 'jdbc:mysql://h/d?sslMode=VERIFY_CA';
  assert.deepEqual(
    [
      modeOf({ host: 'h', ...account }),
      modeOf({ host: 'h', ...account, ssl: {} }),
      modeOf({ jdbcUrl: 'jdbc:mysql://h/d', ...account }),
      modeOf({ jdbcUrl: url, ...account }),
      modeOf({ jdbcUrl: url, ...account, ssl: { mode: 'required' } }),
      modeOf({ jdbcUrl: url, ...account, ssl: { mode: 'disabled' } }),
    ],
    ['disabled', 'verify-identity', 'disabled', 'verify-ca', 'required', 'disabled'],
  );
});
