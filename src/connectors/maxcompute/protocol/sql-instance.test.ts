import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { MaxComputeDouble } from '../../../../test/support/maxcompute/double.ts';
import { Refusal, XML } from '../../../../test/support/maxcompute/refusal.ts';
import { DEFAULT_HOST_POLICY } from '../../../lib/host-policy.ts';
import { partitionsOf, projectExists } from './project-facts.ts';
import { retryRuleOf } from './retry-rule.ts';
import { ServiceClient } from './service-client.ts';
import { ServiceError } from './service-error.ts';
import { runSql } from './sql-instance.ts';
import { tableFacts } from './table-facts.ts';

const credential = { accessId: 'id', accessKey: 'key' };
let double: MaxComputeDouble;
let client: ServiceClient;

beforeEach(async () => {
  double = await MaxComputeDouble.start(credential);
  double.catalog.addProject('p');
  client = new ServiceClient({
    endpoint: `${double.url}/api`,
    credential,
    hosts: DEFAULT_HOST_POLICY,
    retryFirstMs: 1,
  });
});

afterEach(async () => {
  client.close();
  await double.stop();
});

const run = (query: string, more: { schema?: string; settings?: Record<string, string> } = {}) =>
  runSql(client, { project: 'p', query, ...more });

const fails = (work: Promise<unknown>, code: string, message = /./) =>
  assert.rejects(work, (error) => error instanceof ServiceError && error.code === code && message.test(error.message));

const ALL_TYPES = `a tinyint, b smallint, c int, d bigint, e float, f double, g boolean, h string, i binary, j date,
  k datetime, l timestamp, m timestamp_ntz, n decimal(38,18), o decimal, p char(3), q varchar(20), r json,
  s array<struct<x:bigint,y:decimal(20,4)>>, t map<string,array<int>>, u interval_day_time, v interval_year_month`;

void test('a table of every type is made, with partitions, comments and a lifecycle', async () => {
  const settings = { 'odps.sql.type.json.enable': 'true' };
  await run(
    `CREATE TABLE IF NOT EXISTS p.\`All\` (${ALL_TYPES}, w STRING NOT NULL COMMENT 'it\\'s <w> 中; ]]> --')
     COMMENT 'all' PARTITIONED BY (pt STRING COMMENT 'day', region VARCHAR(10)) LIFECYCLE 30;`,
    { settings },
  );
  const facts = await tableFacts(client, { project: 'p', table: 'all' });
  assert.equal(facts?.columns.length, 23);
  assert.deepEqual(facts.columns[18], {
    name: 's',
    type: {
      kind: 'array',
      element: {
        kind: 'struct',
        fields: [
          { name: 'x', type: { kind: 'bigint' } },
          { name: 'y', type: { kind: 'decimal', precision: 20, scale: 4 } },
        ],
      },
    },
    nullable: true,
  });
  assert.deepEqual([facts.partitionColumns, facts.primaryKey], [['pt', 'region'], []]);
  const table = double.table('projects/p/tables/all');
  assert.deepEqual([table.comment, table.lifecycle, table.columns.at(-1)?.notNull], ['all', 30, true]);
  assert.equal(table.columns.at(-1)?.comment, "it's <w> 中; ]]> --");
});

void test('a Delta table has its key and its properties', async () => {
  const columns = 'id BIGINT NOT NULL, name STRING, PRIMARY KEY (id)';
  await fails(run(`CREATE TABLE t (${columns})`), 'ODPS-0130071', /transactional/);
  await fails(
    run(`CREATE TABLE t (id BIGINT, PRIMARY KEY (id)) TBLPROPERTIES ("transactional"="true")`),
    'ODPS-0130071',
    /NOT NULL/,
  );
  await run(`CREATE TABLE t (${columns}) TBLPROPERTIES ("transactional"="true", "write.bucket.num"="16")`);
  assert.deepEqual((await tableFacts(client, { project: 'p', table: 't' }))?.primaryKey, ['id']);
  assert.deepEqual(double.table('projects/p/tables/t').properties, { transactional: 'true', 'write.bucket.num': '16' });
});

void test('columns are added behind the others, and the rows that are there have NULL in them', async () => {
  await run('CREATE TABLE t (id BIGINT)');
  double.table('projects/p/tables/t').append('', [[1n]]);
  await run("ALTER TABLE t ADD COLUMNS (name STRING COMMENT 'n', at DATETIME)");
  await fails(run('ALTER TABLE t ADD COLUMNS (name STRING)'), 'ODPS-0130071', /already exists/);
  await run('ALTER TABLE t ADD COLUMNS IF NOT EXISTS (name STRING)');
  assert.equal(await run('SELECT * FROM t'), '"id","name","at"\n1,\\N,\\N\n');
});

void test('partitions are added, listed by the page, emptied and dropped', async () => {
  const logs = { project: 'p', table: 't' };
  await run('CREATE TABLE t (id BIGINT) PARTITIONED BY (pt STRING, h STRING)');
  const specs = Array.from({ length: 101 }, (_, day) => `PARTITION (pt='${1000 + day}', h='0 "<0>"')`);
  await fails(run(`ALTER TABLE t ADD ${specs.join(' ')}`), 'ODPS-0123031');
  const plain = specs.map((spec) => spec.replace(' "<0>"', ''));
  await run(`ALTER TABLE t ADD IF NOT EXISTS ${plain.join(' ')}`);
  await run(`ALTER TABLE t ADD IF NOT EXISTS ${plain[0]}`);
  await fails(run(`ALTER TABLE t ADD ${plain[0]}`), 'ODPS-0110061');
  const all = Array.from({ length: 101 }, (_, day) => `pt=${1000 + day},h=0`);
  assert.deepEqual(await partitionsOf(client, logs), all);
  const table = double.table('projects/p/tables/t');
  for (const partition of all.slice(0, 3)) table.append(partition, [[1n], [2n]]);
  assert.equal(await run("SELECT count(*) FROM t WHERE pt='1000'"), '"_c0"\n2\n');
  await run("TRUNCATE TABLE t PARTITION (pt='1001', h='0')");
  assert.equal(await run('SELECT COUNT(*) FROM p.t;'), '"_c0"\n4\n');
  await run("ALTER TABLE t DROP IF EXISTS PARTITION (pt='1002', h='0')");
  assert.equal(await run('SELECT id, pt FROM t LIMIT 1'), '"id","pt"\n1,"1000"\n');
  await run('TRUNCATE TABLE t');
  assert.equal(await run('SELECT COUNT(*) FROM t'), '"_c0"\n0\n');
  assert.deepEqual(await partitionsOf(client, logs), all.toSpliced(2, 1));
});

void test('names of three parts are tables of a schema', async () => {
  await fails(run('CREATE TABLE p.s.t (id BIGINT)', { schema: 's' }), 'ODPS-0130131', /Schema not found/);
  await run('CREATE SCHEMA IF NOT EXISTS p.s');
  await fails(run('CREATE TABLE p.s.t (id BIGINT)'), 'ODPS-0130161', /three names/);
  await run('CREATE TABLE p.s.t (id BIGINT)', { schema: 's' });
  await run('ALTER TABLE t ADD COLUMNS (name STRING)', { schema: 's' });
  assert.equal((await tableFacts(client, { project: 'p', schema: 's', table: 't' }))?.columns.length, 2);
  assert.equal(await tableFacts(client, { project: 'p', table: 't' }), null);
});

void test('a statement that fails says the code of the service', async () => {
  await fails(run('SELECT * FROM nowhere'), 'ODPS-0130131', /nowhere/);
  for (const query of [
    'MERGE t',
    'CREATE TABLE t (id MONEY)',
    'CREATE TABLE t (id BIGINT,)',
    'DROP TABLE t; DROP TABLE t',
    "SELECT '",
  ])
    await fails(run(query), 'ODPS-0130161');
  await run('CREATE TABLE t (id BIGINT)');
  await fails(run('CREATE TABLE t (id BIGINT)'), 'ODPS-0110061');
  await fails(
    run('CREATE TABLE u (id INT)', { settings: { 'odps.sql.type.system.odps2': 'false' } }),
    'ODPS-0130071',
    /odps2/,
  );
  await fails(run('CREATE TABLE u (doc JSON)'), 'ODPS-0130071', /json/);
  await run('DROP TABLE t');
  await run('DROP TABLE IF EXISTS t');
  await fails(run('DROP TABLE t'), 'ODPS-0130131');
  await fails(runSql(client, { project: 'other', query: 'DROP TABLE t' }), 'NoSuchObject');
});

void test('a statement runs once, though its submission was cut, lost, throttled and put off', async () => {
  const isPost = (method: string) => method === 'POST';
  const later = new Refusal(409, 'TooMany', 'come again', { ...XML, 'Retry-After': '0.001' });
  double.faults.push(
    { when: isPost, what: { kind: 'replyLost' } },
    { when: isPost, what: { kind: 'refuse', refusal: later } },
    { when: isPost, what: { kind: 'cut' } },
    { when: isPost, what: { kind: 'refuse', refusal: new Refusal(503, '', 'bad') } },
  );
  await run('CREATE TABLE t (id BIGINT)');
  assert.deepEqual(double.instances.statements, ['CREATE TABLE t (id BIGINT);']);
  assert.equal(double.calls.filter((call) => call.startsWith('POST')).length, 5);
});

void test('the wait for a statement ends when it is told to', async () => {
  const controller = new AbortController();
  const running = runSql(client, { project: 'p', query: 'CREATE TABLE t (id BIGINT)' }, controller.signal);
  const aborted = assert.rejects(running, { name: 'AbortError' });
  controller.abort();
  await aborted;
});

void test('faults of the service are told from those of the statement', () => {
  const kind = (code: string) =>
    retryRuleOf(new ServiceError({ status: 200, code, message: '', requestId: '', holdMs: 0 })).kind;
  assert.deepEqual(['ODPS-0010000', 'ODPS-0420153', 'ODPS-0130131'].map(kind), ['fault', 'fault', 'caller']);
});

void test('a project is there or not', async () => {
  assert.equal(await projectExists(client, 'p'), true);
  assert.equal(await projectExists(client, 'other'), false);
});
