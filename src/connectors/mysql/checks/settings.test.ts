import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../../lib/host-policy.ts';
import type { ServerFacts } from '../server-facts.ts';
import { checkEncryption, checkSettings } from './settings.ts';

const GOOD: ServerFacts = {
  family: 'mysql',
  title: 'MySQL 8.4.0',
  version: [8, 4, 0],
  identity: 'u',
  gtidMode: true,
  gtids: true,
  logBin: true,
  format: 'ROW',
  rowImage: 'FULL',
  rowMetadata: 'FULL',
  serverId: 1,
  lowerCaseTableNames: 0,
  retentionSeconds: 2_592_000,
  logStatus: true,
  lockingReads: true,
  account: "'repl'@'%'",
  variables: new Map([
    ['gtid_mode', 'ON'],
    ['binlog_expire_logs_seconds', '2592000'],
    ['binlog_checksum', 'CRC32'],
    ['sync_binlog', '1'],
    ['innodb_flush_log_at_trx_commit', '1'],
  ]),
};

/** What is said of a server that differs from a good one in this. */
function said(facts: Partial<ServerFacts>, variables: Readonly<Record<string, string>> = {}): string[] {
  const all = new Map([...GOOD.variables, ...Object.entries(variables)]);
  return checkSettings({ ...GOOD, ...facts, variables: all })
    .filter(({ level }) => level !== 'fine')
    .map(({ level, about, remedy }) => `${level} ${about}: ${remedy}`);
}

test('a server that is set up well is not found fault with', () => {
  assert.deepEqual(said({}), []);
});

test('a statement is made for the version: where a setting can be kept, it is', () => {
  const old = { title: 'MySQL 5.7.40', version: [5, 7, 40], format: 'MIXED' } as const;
  const mariadb = { family: 'mariadb', title: 'MariaDB 10.11.6', version: [10, 11, 6], format: 'MIXED' } as const;
  const kept = 'Then reconnect the writers: sessions keep the former one.';
  const byHand = `SET GLOBAL binlog_format = ROW; and write binlog_format = ROW under [mysqld] in the server's configuration, so that it stays. ${kept}`;
  assert.deepEqual(
    [said({ format: 'MIXED' }), said(old), said(mariadb, { gtid_strict_mode: 'ON' })],
    [
      [`problem binlog_format: SET PERSIST binlog_format = ROW; ${kept}`],
      [`problem binlog_format: ${byHand}`],
      [`problem binlog_format: ${byHand}`],
    ],
  );
});

test('how long the log is kept: below an hour it is a problem, below 72 a warning, and by its size too', () => {
  const remedy = 'SET PERSIST binlog_expire_logs_seconds = 259200;';
  assert.deepEqual(
    [3599, 3600, 259_199, 259_200, 0].map((retentionSeconds) => said({ retentionSeconds })),
    [
      [`problem binlog_expire_logs_seconds: ${remedy}`],
      [`warning binlog_expire_logs_seconds: ${remedy}`],
      [`warning binlog_expire_logs_seconds: ${remedy}`],
      [],
      [],
    ],
  );
  assert.deepEqual(said({ retentionSeconds: 60 }, { binlog_expire_logs_auto_purge: 'OFF' }), []);
  assert.deepEqual(said({}, { binlog_space_limit: '1000' }), [
    'warning binlog_space_limit: SET PERSIST binlog_space_limit = 0;',
  ]);
  assert.deepEqual(said({}, { basedir: '/rdsdbbin/mysql-8.4.3.R1/' }), [
    "warning rds_configuration: CALL mysql.rds_set_configuration('binlog retention hours', 72);",
  ]);
});

test('GTIDs are switched on in the steps that are left', () => {
  const steps = (mode: string) => said({}, { gtid_mode: mode })[0]?.match(/gtid_mode = \w+/g);
  assert.deepEqual(
    [steps('OFF'), steps('ON_PERMISSIVE')],
    [['gtid_mode = OFF_PERMISSIVE', 'gtid_mode = ON_PERMISSIVE', 'gtid_mode = ON'], ['gtid_mode = ON']],
  );
});

const ACCOUNT = { port: 1, user: 'u', password: 'p', database: null, hosts: DEFAULT_HOST_POLICY };

test('a connection in clear is fine on the machine itself only, and one that proves nothing is not', () => {
  const level = (host: string, mode: 'disabled' | 'required' | 'verify-ca' | 'verify-identity') =>
    checkEncryption({ ...ACCOUNT, host, ssl: { mode } }).level;
  assert.deepEqual(
    [
      level('127.0.0.1', 'disabled'),
      level('localhost', 'disabled'),
      level('db.example', 'disabled'),
      level('db.example', 'required'),
      level('db.example', 'verify-ca'),
      level('db.example', 'verify-identity'),
    ],
    ['fine', 'fine', 'warning', 'warning', 'fine', 'fine'],
  );
});
