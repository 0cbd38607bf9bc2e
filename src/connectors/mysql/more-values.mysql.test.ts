import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, type Values } from '../../../test/support/source-under-test.ts';

/** A column, the server's own expression for the text that we compare (`?` is the column), and values of it. */
interface Case {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  readonly values: readonly string[];
}

const BYTES = "CONCAT('x', LOWER(HEX(?)))";
const WKB = "CONCAT('x', LOWER(SUBSTR(HEX(?), 9)))";
const TEXT = 'CAST(? AS CHAR)';
const LABEL = "CONCAT(?, '#', CAST(? AS UNSIGNED))";

const MEMBERS = Array.from({ length: 64 }, (_, index) => `m${index}`);
const LABELS = Array.from({ length: 300 }, (_, index) => `label ${index}`);
const list = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(', ');

const GEOMETRIES = [
  'POINT(1 -2.5)',
  'LINESTRING(0 0, 1 1, 2 4)',
  'POLYGON((0 0, 9 0, 9 9, 0 0), (1 1, 2 1, 2 2, 1 1))',
  'MULTIPOINT((0 0), (1 1))',
  'GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))',
].map((text) => `ST_GeomFromText('${text}')`);

const COMMON: readonly Case[] = [
  {
    name: 's64',
    type: `SET(${list(MEMBERS)})`,
    text: LABEL,
    values: ["'m0'", "'m63'", `'${MEMBERS.join(',')}'`, "''"],
  },
  { name: 'e300', type: `ENUM(${list(LABELS)})`, text: LABEL, values: ["'label 0'", "'label 299'"] },
  {
    name: 'b64',
    type: 'BIT(64)',
    text: "CONCAT('x', LPAD(LOWER(HEX(?)), 16, '0'))",
    values: ["b'1'", '18446744073709551615', '0'],
  },
  { name: 'd65', type: 'DECIMAL(65,0)', text: TEXT, values: ['9'.repeat(65), `-${'9'.repeat(65)}`, '0'] },
  { name: 'g', type: 'GEOMETRY', text: WKB, values: GEOMETRIES },
  { name: 'p', type: 'POINT', text: WKB, values: ["ST_GeomFromText('POINT(1e300 -0)')"] },
  { name: 'behind', type: 'VARCHAR(30) CHARACTER SET latin1', text: TEXT, values: ["'é behind a geometry'"] },
  { name: 'gv', type: 'INT GENERATED ALWAYS AS (id * 2) VIRTUAL', text: TEXT, values: [] },
  { name: 'gs', type: 'VARCHAR(20) GENERATED ALWAYS AS (CONCAT("n", id)) STORED', text: TEXT, values: [] },
];

const DOCUMENTS = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '-32769',
  '4294967296',
  '18446744073709551615',
  '-9223372036854775808',
  '[1, -1, 32767, 32768, 65535, 65536, 2147483647, -2147483648, 4294967295]',
  '{"b": 1, "aa": {"c": [null, false, "x"]}, "": "empty", "ü☂": "李🧦"}',
  String.raw`"a\"b\\c\n\t\r\b\f\u0001\u001f/"`,
  '[0.1, 1e15, 1e14, 1.5e-7, 123456.789, 1e100, -0.0, 1e16, 1.7976931348623157e308, 5e-324, 0.000000000000001]',
  JSON.stringify(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, 'x'.repeat(i)]))),
  JSON.stringify(Array.from({ length: 30_000 }, (_, i) => i * 37)),
  `${'['.repeat(99)}${']'.repeat(99)}`,
];

const MYSQL: readonly Case[] = [
  {
    name: 'j',
    type: 'JSON',
    text: TEXT,
    values: [
      ...DOCUMENTS.map((document) => `'${document.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
      "JSON_ARRAY(1.50, -0.10, CAST('12345678901234567890.12' AS DECIMAL(65,30)), CAST('2020-01-02 03:04:05.6' AS DATETIME(3)))",
      "JSON_ARRAY(CAST('2020-01-02' AS DATE), CAST('-838:59:58.5' AS TIME(1)), CAST('00:00:00' AS TIME), CAST(2020 AS YEAR))",
      "JSON_OBJECT('bits', b'111000', 'blob', CAST(REPEAT('x', 300) AS BINARY), 'none', X'', 'point', ST_GeomFromText('POINT(1 2)'))",
    ],
  },
  { name: 'v', type: 'VECTOR(3)', text: BYTES, values: ["TO_VECTOR('[1,-2.5,3e30]')"] },
  { name: 'w', type: 'VECTOR(2)', text: BYTES, values: ["TO_VECTOR('[0,1]')"] },
  { name: 'bv', type: 'TEXT CHARACTER SET latin1', text: TEXT, values: ["'é behind vectors'"] },
  { name: 'srid', type: 'GEOMETRY', text: WKB, values: ["ST_GeomFromText('POINT(1 2)', 4326)"] },
  { name: 'inv', type: 'INT INVISIBLE', text: TEXT, values: ['7'] },
];

const MARIADB: readonly Case[] = [
  { name: 'j', type: 'JSON', text: TEXT, values: [`'{"a":  [1, 2.50]}'`] },
  {
    name: 'u',
    type: 'UUID',
    text: TEXT,
    values: [
      "'00112233-4455-6677-8899-aabbccddeeff'",
      "'f0112233-4455-1677-8899-aabbccddee00'",
      "'00000000-0000-0000-0000-000000000000'",
    ],
  },
  {
    name: 'i6',
    type: 'INET6',
    text: TEXT,
    values: [
      '::',
      '::1',
      '1::',
      'fe80::1:0:0:1',
      '::ffff:1.2.3.4',
      '::1.2.3.4',
      '1:2:3:4:5:6:7:8',
      '1:0:2:3:4:5:6:7',
      '0:0:1::',
    ].map((text) => `'${text}'`),
  },
  { name: 'i4', type: 'INET4', text: TEXT, values: ["'0.0.0.0'", "'255.10.0.1'"] },
  { name: 'cv', type: 'VARCHAR(3000) COMPRESSED', text: TEXT, values: ["''", "'short ☂'", "REPEAT('long', 700)"] },
  { name: 'cs', type: 'VARCHAR(50) CHARACTER SET latin1 COMPRESSED', text: TEXT, values: ["'é'"] },
  { name: 'ct', type: 'TEXT COMPRESSED', text: TEXT, values: ["REPEAT('a', 10000)", "'x'"] },
  { name: 'cl', type: 'LONGBLOB COMPRESSED', text: BYTES, values: ["REPEAT(X'00FF', 50000)", "''"] },
  { name: 'cb', type: 'VARBINARY(20) COMPRESSED', text: BYTES, values: ["X'00'"] },
  { name: 'inv', type: 'INT INVISIBLE', text: TEXT, values: ['7'] },
];

const CASES = { mysql: [...COMMON, ...MYSQL], mariadb: [...COMMON, ...MARIADB] } as const;

function insertsInto(table: string, cases: readonly Case[]): string[] {
  const inserts = [`INSERT INTO ${table} (id) VALUES (1)`];
  for (const { name, values } of cases)
    for (const value of values)
      inserts.push(`INSERT INTO ${table} (id, ${name}) VALUES (${inserts.length + 1}, ${value})`);
  return inserts;
}

const byId = (values: readonly Values[]) => values.toSorted((a, b) => Number(a['id']) - Number(b['id']));

for (const family of FAMILIES) {
  void describe(`more types of ${family}`, () => {
    const open = async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      const source = openSource(server, database);
      const follower = new Follower(source);
      const start = async () =>
        follower.start(1, [await joining(source, database, 'v'), await joining(source, database, 'w')]);
      const streaming = () => ['v', 'w'].every((table) => follower.state(database, table) === 'STREAMING');
      const rows = (table: string) => byId(follower.rows(database, table));
      const close = async () => {
        await follower.stop();
        await client.end();
      };
      return { client, follower, start, streaming, rows, close };
    };

    void it('are the same in a load and in the stream, and what the server itself says', async () => {
      const { client, follower, start, streaming, rows, close } = await open();
      const cases = CASES[family];
      const columns = cases.map(({ name, type }) => `${name} ${type}`).join(', ');
      await client.query(`CREATE TABLE v (id INT PRIMARY KEY, ${columns}); CREATE TABLE w LIKE v`);
      for (const sql of insertsInto('v', cases)) await client.query(sql);
      await start();
      await follower.until(streaming);
      for (const sql of insertsInto('w', cases)) await client.query(sql);
      const texts = cases.map(({ name, text }) => `${text.replaceAll('?', name)} AS ${name}`);
      const [expected] = await client.query(`SELECT CAST(v.id AS CHAR) id, ${texts.join(', ')} FROM v ORDER BY v.id`);
      const same = (expected as Values[]).map((row) => ({ ...row }));
      await follower.until(() => rows('w').length === same.length);
      for (const [index, row] of same.entries()) {
        assert.deepEqual(rows('v')[index], row, `loaded row ${index + 1}`);
        assert.deepEqual(rows('w')[index], row, `streamed row ${index + 1}`);
      }
      await close();
    });

    if (family === 'mariadb') {
      void it('of tables made before 5.6 are the same in a load and in the stream', async () => {
        const { client, follower, start, streaming, rows, close } = await open();
        await client.query("SET GLOBAL mysql56_temporal_format = OFF, time_zone = '+00:00', sql_mode = ''");
        try {
          await client.query(
            `CREATE TABLE v (id INT PRIMARY KEY, t TIME, t1 TIME(1), t3 TIME(3), t6 TIME(6), d DATETIME, d2 DATETIME(2), d6 DATETIME(6),
             ts TIMESTAMP NULL, ts2 TIMESTAMP(2) NULL, ts6 TIMESTAMP(6) NULL, behind INT); CREATE TABLE w LIKE v`,
          );
        } finally {
          await client.query('SET GLOBAL mysql56_temporal_format = ON');
        }
        const inserts = [
          "(1, '-838:59:59', '-12:34:56.7', '-12:34:56.789', '-00:00:00.000001', '9999-12-31 23:59:59', '2020-01-02 03:04:05.67', '2020-01-02 03:04:05.678901', '2020-01-02 03:04:05', '2020-01-02 03:04:05.67', '2038-01-19 03:14:07.999999', 7)",
          "(2, '838:59:59', '00:00:00.1', '838:59:59.999', '00:00:00', '0000-00-00', '1000-01-01', '9999-12-31 23:59:59.999999', 0, 0, '1970-01-01 00:00:01', 7)",
          '(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 7)',
        ];
        await client.query(`INSERT INTO v VALUES ${inserts.join(', ')}`);
        await start();
        await follower.until(streaming);
        await client.query(`INSERT INTO w VALUES ${inserts.join(', ')}`);
        await follower.until(() => rows('w').length === 3);
        assert.deepEqual(rows('w'), rows('v'));
        assert.deepEqual(rows('v')[0], {
          id: '1',
          t: '-3020399000000us',
          t1: '-45296700000us',
          t3: '-45296789000us',
          t6: '-1us',
          d: '9999-12-31 23:59:59+0us',
          d2: '2020-1-2 3:4:5+670000us',
          d6: '2020-1-2 3:4:5+678901us',
          ts: '@1577934245+0us',
          ts2: '@1577934245+670000us',
          ts6: '@2147483647+999999us',
          behind: '7',
        });
        await close();
      });
    }
  });
}

void describe('partial updates of JSON of mysql', () => {
  void it('give the whole document, whatever was replaced, inserted or removed in it', async () => {
    const server = await sharedServer('mysql');
    const database = await freshMysqlDatabase(server);
    const client = await mysqlClient(server, database);
    await client.query("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'");
    const filler = 'x'.repeat(300);
    await client.query('CREATE TABLE t (id INT PRIMARY KEY, a JSON, n INT, b JSON, v VARCHAR(400))');
    await client.query(
      `INSERT INTO t VALUES (1, '{"a": 1, "b": [1, 2, 3, {"c": 1.5}], "long key": {"x y": "z"}, "f": "${filler}"}', 1, '[1, "${filler}"]', ''),
       (2, NULL, 2, '{"k": {"l": {"m": [[1], [2]]}}, "f": "${filler}"}', 'v')`,
    );
    const source = openSource(server, database);
    const follower = new Follower(source);
    follower.start(1, [await joining(source, database, 't')]);
    await follower.until(() => follower.state(database, 't') === 'STREAMING');
    const [[before]] = (await client.query('SHOW BINARY LOG STATUS')) as unknown as [
      { File: string; Position: number }[],
    ];
    const changes = [
      "a = JSON_SET(a, '$.a', 100000, '$.b[3].c', 'text', '$.zz', TRUE)",
      `a = JSON_SET(a, '$."long key"."x y"', CAST('[1, {"q": null}]' AS JSON)), n = n + 1`,
      "a = JSON_REMOVE(a, '$.b[0]'), b = JSON_REMOVE(b, '$[0]')",
      "b = JSON_SET(b, '$.k.l.m[1][0]', 1.25, '$.k.l.m[0][1]', 'added', '$.new', CAST(1.50 AS DECIMAL(5,2)))",
      `a = JSON_SET(a, '$."quo\\\\"te"', '☂', '$."a"', CAST('{}' AS JSON))`,
      "a = JSON_REPLACE(a, '$.f', 'short'), v = 'changed'",
      "a = JSON_REPLACE(a, '$.f', REPEAT('y', 100000)), b = NULL",
      "a = JSON_ARRAY_INSERT(JSON_SET(a, '$.b', JSON_ARRAY(1, 2)), '$.b[1]', 9)",
    ];
    for (const change of changes) {
      await client.query(`UPDATE t SET ${change}`);
      await client.query("INSERT INTO t (id, v) VALUES (100, 'fence')");
      await follower.until(() => follower.rows(database, 't').length === 3);
      const [expected] = await client.query(
        'SELECT CAST(id AS CHAR) id, CAST(a AS CHAR) a, CAST(n AS CHAR) n, CAST(b AS CHAR) b, v FROM t WHERE id < 100 ORDER BY t.id',
      );
      assert.deepEqual(
        byId(follower.rows(database, 't')).slice(0, 2),
        (expected as Values[]).map((row) => ({ ...row })),
        change,
      );
      await client.query('DELETE FROM t WHERE id = 100');
      await follower.until(() => follower.rows(database, 't').length === 2);
    }
    const [events] = await client.query(`SHOW BINLOG EVENTS IN '${before?.File}' FROM ${before?.Position}`);
    const types = (events as { Event_type: string }[]).map(({ Event_type: type }) => type);
    assert.ok(types.filter((type) => type === 'Update_rows_partial').length >= 5, types.join(' '));
    await follower.stop();
    await client.end();
  });
});
