import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { startHologresUnderTest, type HologresUnderTest } from '../../../test/support/hologres-under-test.ts';
import { batchOf, deletes, inserts, scriptedTable } from '../../../test/support/scripted-rows.ts';
import { checkpoint, newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import { silentLog } from '../../lib/log.ts';
import type { TableVersion, ValueType } from '../../pipeline/table.ts';
import { hologresConnector } from './connector.ts';
import { MemoryJournals } from '../../../test/support/memory-journals.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const TEXT: ValueType = { kind: 'text' };
const { signal } = new AbortController();

const REMEDY = 'Change the target or the table’s place in the task.';

void describe('targets on PostgreSQL', () => {
  let system: HologresUnderTest;
  before(async () => {
    system = await startHologresUnderTest({ options: {} });
    await system.client.query('CREATE SCHEMA contract');
  });
  after(() => system.stop());

  function plan(tables: readonly TableVersion[], options: object = {}, settings = system.settings) {
    return hologresConnector.planTargets({
      settings,
      options: hologresConnector.parseOptions({ ...options }),
      sourceName: 'shop_mysql',
      tables,
      signal,
    });
  }

  async function opened(table: TableVersion, policies = POLICIES) {
    const sink = system.open(newOwner(), policies);
    await sink.recover();
    const failed = await sink.prepare([{ table, target: system.target(table.id) }]);
    return { sink, failed };
  }

  void it('plans a missing table as it would create it', async () => {
    const table = scriptedTable(
      'shop',
      'orders',
      {
        id: { kind: 'integer', bytes: 8, unsigned: true },
        note: TEXT,
        price: { kind: 'decimal', precision: 10, scale: 2 },
        at: { kind: 'time', fraction: 0 },
      },
      ['id'],
    );
    const { server, tables, guarantee, warnings } = await plan([table]);
    assert.match(server, /^PostgreSQL \d+\.\d+$/);
    assert.equal(guarantee, 'exact');
    assert.deepEqual(warnings, []);
    assert.deepEqual(tables, [
      {
        target: { schema: 'shop', table: 'orders' },
        columns: [
          { name: 'id', type: 'numeric(20,0)', nullable: false },
          { name: 'note', type: 'text', nullable: true },
          { name: 'price', type: 'numeric(10,2)', nullable: true },
          { name: 'at', type: 'text', nullable: true },
        ],
        key: ['id'],
        createSql: [
          'CREATE SCHEMA IF NOT EXISTS "shop";',
          'CREATE TABLE IF NOT EXISTS "shop"."orders" (',
          '  "id" numeric(20,0) NOT NULL,',
          '  "note" text,',
          '  "price" numeric(10,2),',
          '  "at" text,',
          '  PRIMARY KEY ("id")',
          ');',
        ].join('\n'),
        exists: false,
        rows: 0,
        warnings: [
          'column "id" (integer) becomes numeric(20,0), the smallest type that holds all its values',
          'column "at" (time) becomes text: the source\'s values can be negative or longer than a day',
        ],
        ifForeign: null,
        problems: [],
        lacking: [],
      },
    ]);
  });

  void it('counts the rows of existing tables, and is not confused by an underscore', async () => {
    await system.client.query(`CREATE TABLE contract.a_b (k int PRIMARY KEY, v text); CREATE TABLE contract.axb (k int PRIMARY KEY, v int);
      INSERT INTO contract.a_b SELECT i, 'x' FROM generate_series(1, 7) i`);
    const { tables } = await plan([scriptedTable('contract', 'a_b', { k: INT, v: TEXT }, ['k'])]);
    assert.deepEqual(
      tables.map(({ exists, rows, columns, problems }) => ({ exists, rows, columns, problems })),
      [
        {
          exists: true,
          rows: 7,
          columns: [
            { name: 'k', type: 'integer', nullable: false },
            { name: 'v', type: 'text', nullable: true },
          ],
          problems: [],
        },
      ],
    );
    assert.match(tables[0]?.ifForeign ?? '', /^"contract"\."a_b" holds about 7 rows that this task did not write/);
  });

  void it('names everything that is wrong with an existing table, and does not prepare it', async () => {
    await system.client.query('CREATE TABLE contract.wrong (k bigint, v boolean, extra int NOT NULL)');
    const table = scriptedTable('contract', 'wrong', { k: INT, v: TEXT, w: TEXT }, ['k']);
    const wanted = [
      '"contract"."wrong": column "v" is boolean, which cannot hold text',
      '"contract"."wrong" has no column "w"',
      '"contract"."wrong": column "extra" is NOT NULL, and the source has no such column',
      '"contract"."wrong" has no primary key or unique index over (k)',
    ];
    const { tables } = await plan([table]);
    const lacking = wanted.filter((problem) => problem.endsWith('has no column "w"'));
    assert.deepEqual(
      [tables[0]?.problems, tables[0]?.lacking],
      [wanted.filter((problem) => !lacking.includes(problem)), lacking].map((problems) =>
        problems.map((message) => ({ code: 'Sink.TargetMismatch', message, remedy: REMEDY })),
      ),
    );
    const { sink, failed } = await opened(table);
    assert.deepEqual(
      failed.map(({ table: id, error }) => [id, error.kind, error.code, error.message]),
      [[table.id, 'table', 'Sink.TargetMismatch', wanted.join('; ')]],
    );
    await sink.close();
  });

  void it('refuses names that would be cut, and tables that would share a target', async () => {
    const long = 'n'.repeat(64);
    const table = scriptedTable('contract', long, { k: INT }, ['k']);
    const { tables } = await plan([table]);
    assert.deepEqual(tables[0]?.problems, [
      {
        code: 'Sink.NameTooLong',
        message: `the table name "${long}" has 64 bytes; the target cuts names after 63`,
        remedy: REMEDY,
      },
    ]);
    const { sink, failed } = await opened(table);
    assert.deepEqual(
      failed.map(({ error }) => error.code),
      ['Sink.NameTooLong'],
    );
    await sink.close();
    const twins = ['one', 'two'].map((database) => scriptedTable(database, 'same', { k: INT }, ['k']));
    const shared = await plan(twins, { schema: 'contract' });
    assert.deepEqual(
      shared.tables.map(({ problems }) => problems),
      [1, 2].map(() => [
        { code: 'Sink.TargetShared', message: 'another table goes to "contract"."same" too', remedy: REMEDY },
      ]),
    );
  });

  void it('names a target as the options schema and table say', async () => {
    const table = scriptedTable('shop', 'orders', { k: INT }, ['k']);
    const { tables } = await plan([table], { schema: '${srcDatasourceName}', table: 'ods_${srcTableName}' });
    assert.deepEqual(tables[0]?.target, { schema: 'shop_mysql', table: 'ods_orders' });
    assert.match(tables[0]?.createSql ?? '', /CREATE TABLE IF NOT EXISTS "shop_mysql"\."ods_orders"/);
  });

  void it('plans 1,000 tables of 20 columns in a few round trips', async () => {
    const columns = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, INT]));
    const tables = Array.from({ length: 1000 }, (_, i) => scriptedTable('contract', `many_${i}`, columns, ['c0']));
    const started = performance.now();
    const planned = await plan(tables);
    assert.equal(planned.tables.length, 1000);
    assert.equal(
      planned.tables.every(({ problems }) => problems.length === 0),
      true,
    );
    assert.equal(performance.now() - started < 5000, true);
  });

  void it('writes existing columns of other types, in another order, beside columns of their own', async () => {
    await system.client.query(
      'CREATE TABLE contract.other (own text DEFAULT \'x\', v varchar(20), at time, n numeric(5), "K" bigint, UNIQUE ("K"), d double precision, b bit(9))',
    );
    const columns: Record<string, ValueType> = {
      K: INT,
      n: INT,
      v: TEXT,
      at: { kind: 'time', fraction: 0 },
      d: { kind: 'float' },
      b: { kind: 'bits', width: 9 },
    };
    const table = scriptedTable('contract', 'other', columns, ['K']);
    const { sink, failed } = await opened(table, { ...POLICIES, errorLimit: 1 });
    assert.deepEqual(failed, []);
    const rows = Array.from(
      { length: 700 },
      (_, i) => [i, i, `v${i}`, 3_600_000_000, 0.5, new Uint8Array([1, 1])] as const,
    );
    await sink.write(batchOf(inserts(table, [...rows, [1000, 1, 'late', -1, 0, new Uint8Array([0, 0])]])));
    assert.deepEqual((await sink.commit(checkpoint(1))).failed, []);
    assert.equal(sink.dirtyRows, 1);
    const found = await system.read({ schema: 'contract', table: 'other' }, ['K', 'n', 'v', 'at', 'd', 'b', 'own']);
    assert.equal(found.length, 700);
    assert.deepEqual(found[1], ['1', '1', 'v1', '01:00:00', '0.5', '100000001', 'x']);
    await sink.close();
  });

  void it('finds the rows that the target refuses, and leaves out no others', async () => {
    await system.client.query("CREATE TABLE contract.narrow (k int PRIMARY KEY, v varchar(3) CHECK (v <> 'bad'))");
    const table = scriptedTable('contract', 'narrow', { k: INT, v: TEXT }, ['k']);
    const { sink } = await opened(table, { ...POLICIES, errorLimit: 3 });
    const value = (i: number) => (i === 17 ? 'too long' : i === 1100 ? 'bad' : 'ok');
    await sink.write(
      batchOf(
        inserts(
          table,
          Array.from({ length: 1200 }, (_, i) => [i, value(i)]),
        ),
      ),
    );
    const result = await sink.commit(checkpoint(1));
    assert.deepEqual(result, { failed: [], rowsWritten: 1198 });
    assert.equal(sink.dirtyRows, 2);
    const { rows } = await system.client.query('SELECT count(*)::int AS rows FROM contract.narrow');
    assert.deepEqual(rows, [{ rows: 1198 }]);
    await sink.recover();
    assert.equal(sink.dirtyRows, 2);
    await sink.write(
      batchOf(
        inserts(table, [
          [5000, 'bad'],
          [5001, 'bad'],
          [5002, 'ok'],
        ]),
      ),
    );
    await assert.rejects(sink.commit(checkpoint(2)), { kind: 'fatal', code: 'Sink.DirtyRowsExceeded' });
    await sink.close();
  });

  void it('fails the table alone when no dirty row is allowed', async () => {
    await system.client.query('CREATE TABLE contract.strict (k int PRIMARY KEY, v varchar(3))');
    const table = scriptedTable('contract', 'strict', { k: INT, v: TEXT }, ['k']);
    const { sink } = await opened(table);
    await sink.write(batchOf(inserts(table, [[1, 'too long: a secret']])));
    const { failed } = await sink.commit(checkpoint(1));
    assert.deepEqual(
      failed.map(({ error }) => [error.kind, error.code]),
      [['table', 'Sink.RowRefused']],
    );
    assert.equal(failed[0]?.error.message.includes('secret'), false);
    await sink.close();
  });

  void it('converges without the right to hold the checkpoint or to stage rows', async () => {
    const { client } = system;
    await client.query('CREATE DATABASE small');
    await client.query('REVOKE ALL ON DATABASE small FROM PUBLIC');
    await client.query("CREATE ROLE poor LOGIN PASSWORD 'little'");
    await client.query('GRANT CONNECT ON DATABASE small TO poor');
    const admin = await system.postgres.connect('small');
    await admin.query('CREATE SCHEMA contract AUTHORIZATION poor');
    const content = { ...system.postgres.content('small'), username: 'poor', password: 'little' };
    const settings = hologresConnector.parseSettings(content, DEFAULT_HOST_POLICY);
    const table = newTable({ k: INT, v: TEXT }, ['k']);
    const planned = await plan([table], {}, settings);
    assert.equal(planned.guarantee, 'converges');
    assert.equal(planned.warnings.length, 1);
    const options = hologresConnector.parseOptions({});
    const sink = hologresConnector.open({
      settings,
      options,
      sourceName: 'shop_mysql',
      owner: newOwner(),
      policies: POLICIES,
      memoryBytes: 128 << 20,
      journal: new MemoryJournals().of(newOwner()),
      log: silentLog,
    });
    assert.equal(await sink.recover(), null);
    assert.equal(sink.holdsCheckpoint, false);
    await sink.prepare([{ table, target: system.target(table.id) }]);
    await sink.write(
      batchOf(
        inserts(
          table,
          Array.from({ length: 1000 }, (_, i) => [i, 'x']),
        ),
      ),
    );
    await sink.commit(checkpoint(1));
    await sink.write(
      batchOf(
        inserts(
          table,
          Array.from({ length: 1000 }, (_, i) => [i, 'y']),
        ),
        deletes(table, [[1, 'y']]),
      ),
    );
    assert.deepEqual(await sink.commit(checkpoint(2)), { failed: [], rowsWritten: 1000 });
    const { rows } = await admin.query(`SELECT count(*)::int AS rows, min(v) AS v FROM contract."${table.id.table}"`);
    assert.deepEqual(rows, [{ rows: 999, v: 'y' }]);
    await sink.close();
    await admin.end();
  });

  void it('says why it cannot connect', async () => {
    const wrong = (content: object) =>
      plan(
        [],
        {},
        hologresConnector.parseSettings({ ...system.postgres.content('postgres'), ...content }, DEFAULT_HOST_POLICY),
      );
    await assert.rejects(wrong({ username: 'nobody' }), { kind: 'fatal', code: 'Sink.Denied' });
    await assert.rejects(wrong({ jdbcUrl: `jdbc:postgresql://127.0.0.1:${system.postgres.port}/none` }), {
      kind: 'fatal',
      code: 'Sink.Denied',
    });
    await assert.rejects(wrong({ jdbcUrl: 'jdbc:postgresql://127.0.0.1:1/postgres' }), {
      kind: 'transient',
      code: 'Sink.Unavailable',
    });
  });

  void it('two runs may create the same targets at the same moment', async () => {
    const tables = Array.from({ length: 10 }, (_, i) => scriptedTable('at_once', `t${i}`, { k: INT }, ['k']));
    const sinks = [1, 2, 3].map(() => system.open(newOwner(), POLICIES));
    const prepared = tables.map((table) => ({ table, target: system.target(table.id) }));
    const failed = await Promise.all(sinks.map((sink) => sink.prepare(prepared)));
    assert.deepEqual(failed, [[], [], []]);
    await Promise.all(sinks.map((sink) => sink.close()));
  });
});
