import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Catalog } from '../catalog.ts';
import { readCsv } from '../read-csv.ts';
import { DoubleTable } from '../tables.ts';
import { SqlFailure } from './sql-failure.ts';
import { SqlSession } from './sql-session.ts';
import { parseStatement } from './statement.ts';

const ROWS: readonly (readonly [id: bigint, name: string | null, size: bigint | null])[] = [
  [1n, 'a', 10n],
  [2n, 'b', null],
  [3n, null, -5n],
  [4n, 'a', 7n],
  [5n, '中"\n', 10n],
  [6n, '', 0n],
];
const DECLARED = 'id BIGINT NOT NULL, name STRING, size BIGINT';

interface Place {
  readonly catalog: Catalog;
  readonly run: (statement: string, settings?: Readonly<Record<string, string>>) => (string | null)[][];
}

function open(): Place {
  const catalog = new Catalog();
  catalog.addProject('p');
  const run: Place['run'] = (statement, settings = {}) =>
    readCsv(parseStatement(`${statement};`)(new SqlSession(catalog, 'p', settings)));
  run(`CREATE TABLE t (${DECLARED})`);
  catalog.table({ project: 'p', schema: null, table: 't' }).append('', ROWS);
  return { catalog, run };
}

/** Queries that SQLite understands as the service does. */
const QUERIES = [
  'SELECT * FROM t ORDER BY id',
  'SELECT id AS x, name n, size + 1 - 2 FROM t ORDER BY x DESC LIMIT 3',
  "SELECT id FROM t WHERE name = 'a' AND size > 7 OR size IS NULL ORDER BY id",
  "SELECT id FROM t WHERE NOT (name = 'a') ORDER BY id",
  "SELECT id FROM t WHERE name <> 'a' OR NOT size < 3 ORDER BY id",
  "SELECT id FROM t WHERE id IN (1, 3, 9) AND name IS NOT NULL OR name NOT IN ('a', 'b') ORDER BY id",
  'SELECT id FROM t WHERE size = NULL OR (size >= 0 AND size <= 7) ORDER BY id',
  'SELECT id, size FROM t ORDER BY size, id',
  'SELECT id, size FROM t ORDER BY size DESC, id DESC',
  'SELECT id, name FROM t ORDER BY name, id',
  'SELECT COUNT(*), COUNT(size), MAX(size), MIN(name), MAX(id) FROM t',
  'SELECT COUNT(*), MAX(size) FROM t WHERE id > 100',
  "SELECT COALESCE(MAX(CASE WHEN size > 100 THEN name END), 'none'), COALESCE(MIN(size), 0) FROM t",
  'SELECT name, COUNT(*), MAX(size) FROM t GROUP BY name ORDER BY name',
  "SELECT COALESCE(name, 'x'), CASE WHEN size > 5 THEN 'big' WHEN size > 0 THEN 'small' ELSE 'none' END FROM t ORDER BY 1",
  "SELECT id, name || '-' || name FROM t ORDER BY id",
  'SELECT id, LENGTH(name) FROM t ORDER BY id',
  'SELECT * FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY name ORDER BY size DESC, id) AS r FROM t) u WHERE r = 1 ORDER BY id',
  'SELECT id, ROW_NUMBER() OVER (ORDER BY size DESC, id DESC) FROM t ORDER BY id',
  "SELECT id, 'x' AS tag FROM t WHERE id < 3 UNION ALL SELECT size, name FROM t WHERE id > 4 ORDER BY id",
  'SELECT a.id, b.id FROM t a JOIN t b ON a.name = b.name AND a.id = b.id ORDER BY 1',
  'SELECT a.id, u.m FROM t a JOIN (SELECT MAX(size) AS m FROM t) u ON a.size = u.m ORDER BY 1',
  'SELECT u.* FROM (SELECT id, id + 1 AS next FROM t) u WHERE u.next > 3 ORDER BY next',
  "SELECT id, CAST(id AS STRING) || 'x', CAST('12' AS BIGINT) + 1 FROM t ORDER BY id",
] as const;

void test('queries give what SQLite gives', () => {
  const { run } = open();
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE TABLE t (${DECLARED})`);
  for (const row of ROWS) database.prepare('INSERT INTO t VALUES (?, ?, ?)').run(...row);
  for (const query of QUERIES) {
    // ORDER BY a place is SQLite's; here rows that are equal but for their order are.
    const isByPlace = query.endsWith('ORDER BY 1');
    const ours = run(isByPlace ? query.replace(/ ORDER BY 1$/, '') : query);
    const text = query.replaceAll('AS STRING', 'AS TEXT').replaceAll('AS BIGINT', 'AS INTEGER');
    const statement = database.prepare(text);
    statement.setReturnArrays(true);
    const theirs = (statement.all() as unknown as (string | number | null)[][]).map((row) =>
      row.map((value) => (value === null ? null : String(value))),
    );
    const ordered = (rows: readonly (readonly (string | null)[])[]) =>
      isByPlace ? rows.map((row) => JSON.stringify(row)).toSorted() : rows;
    assert.deepEqual(ordered(ours), ordered(theirs), query);
  }
  database.close();
});

void test('what the service would convert by rounding, or what nobody taught it, is refused', () => {
  const { run } = open();
  const codeOf = (query: string) => {
    try {
      run(query);
      return 'it ran';
    } catch (error) {
      if (!(error instanceof SqlFailure)) throw error;
      return error.message.slice(0, 12);
    }
  };
  const semantic = [
    "SELECT id FROM t WHERE id = '1'",
    'SELECT id FROM t WHERE name > 1',
    'SELECT id FROM t WHERE id',
    "SELECT id + 'x' FROM t",
    'SELECT id FROM t UNION ALL SELECT name FROM t',
    'SELECT id, COUNT(*) FROM t',
    'SELECT missing FROM t',
    'SELECT id FROM t a JOIN t b ON a.id = b.id',
    'SELECT a.id FROM t a JOIN t b ON a.id > b.id',
    'SELECT SUM(id) FROM t',
    'SELECT MAX(id) OVER (PARTITION BY name) FROM t',
    'SELECT CAST(1.5 AS BIGINT)',
  ];
  assert.deepEqual(
    semantic.map((query) => [query, codeOf(query)]),
    semantic.map((query) => [query, 'ODPS-0130071']),
  );
  for (const query of [
    'SELECT id FROM t LEFT JOIN t b ON a.id = b.id',
    'SELECT',
    'SELECT id FROM',
    'SELECT DISTINCT id FROM t',
    'UPDATE t SET id = 1',
    'SELECT id FROM t HAVING 1 = 1',
    'SELECT id FROM t WHERE id BETWEEN 1 AND 2',
  ])
    assert.equal(codeOf(query), 'ODPS-0130161', query);
});

void test('a table with partitions is read by partition, unless the settings allow all of it', () => {
  const { run } = open();
  run('CREATE TABLE log (id BIGINT) PARTITIONED BY (pt STRING)');
  assert.throws(() => run('SELECT COUNT(*) FROM log'), /full scan/);
  assert.throws(() => run('SELECT id FROM (SELECT id FROM log WHERE id = 1) u'), /full scan/);
  assert.deepEqual(run("SELECT COUNT(*) FROM log WHERE pt >= '1'"), [['0']]);
  assert.deepEqual(run('SELECT COUNT(*) FROM log', { 'odps.sql.allow.fullscan': 'true' }), [['0']]);
});

void test('INSERT OVERWRITE replaces one partition by what its query gives, and only all of it', () => {
  const { run, catalog } = open();
  run('CREATE TABLE base (id BIGINT NOT NULL, name STRING) PARTITIONED BY (pt STRING)');
  const insert = (how: string, query: string) => run(`INSERT ${how} TABLE base PARTITION (pt='1') ${query}`);
  const base = () => catalog.table({ project: 'p', schema: null, table: 'base' }).rows('pt=1');
  insert('OVERWRITE', 'SELECT id, name FROM t WHERE id < 3');
  insert('INTO', "(name, id) SELECT 'x', id FROM t WHERE id = 3");
  assert.deepEqual(base(), [
    [1n, 'a'],
    [2n, 'b'],
    [3n, 'x'],
  ]);
  assert.throws(() => insert('OVERWRITE', 'SELECT size, name FROM t'), /NOT NULL/);
  assert.throws(() => insert('OVERWRITE', 'SELECT name, id FROM t'), /string and bigint in one place/);
  assert.throws(() => insert('OVERWRITE', 'SELECT id FROM t'), /1 columns for the 2/);
  assert.throws(() => run('INSERT INTO base SELECT id, name FROM t'), /has partitions/);
  assert.equal(base().length, 3);
  // It may read what it overwrites.
  insert('OVERWRITE', "SELECT id, name FROM base WHERE pt = '1' AND id > 1");
  assert.deepEqual(base(), [
    [2n, 'b'],
    [3n, 'x'],
  ]);
});

void test('a table with a key takes one row a key from a query', () => {
  const { run, catalog } = open();
  const table = new DoubleTable('users', {
    columns: [
      { name: 'name', type: { kind: 'string' }, notNull: true },
      { name: 'size', type: { kind: 'bigint' } },
    ],
    key: ['name'],
  });
  catalog.add({ project: 'p', schema: null, table: 'users' }, table);
  run('INSERT INTO users SELECT name, size FROM t WHERE id = 1');
  run('INSERT INTO users SELECT name, size FROM t WHERE id = 4');
  assert.deepEqual(table.rows(), [['a', 7n]]);
  assert.throws(() => run("INSERT INTO users SELECT name, size FROM t WHERE name = 'a'"), /two rows of one key/);
});
