import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, type Values } from '../../../test/support/source-under-test.ts';

/** Per column: its type, literals of its edges, and what they are. */
const COLUMNS: readonly (readonly [
  name: string,
  type: string,
  values: readonly (readonly [literal: string, expected: string | null])[],
])[] = [
  [
    't1',
    'TINYINT',
    [
      ['-128', '-128'],
      ['127', '127'],
    ],
  ],
  [
    't1u',
    'TINYINT UNSIGNED',
    [
      ['0', '0'],
      ['255', '255'],
    ],
  ],
  [
    't2',
    'SMALLINT',
    [
      ['-32768', '-32768'],
      ['32767', '32767'],
    ],
  ],
  ['t2u', 'SMALLINT UNSIGNED', [['65535', '65535']]],
  [
    't3',
    'MEDIUMINT',
    [
      ['-8388608', '-8388608'],
      ['8388607', '8388607'],
    ],
  ],
  ['t3u', 'MEDIUMINT UNSIGNED', [['16777215', '16777215']]],
  [
    't4',
    'INT',
    [
      ['-2147483648', '-2147483648'],
      ['2147483647', '2147483647'],
    ],
  ],
  ['t4u', 'INT UNSIGNED', [['4294967295', '4294967295']]],
  ['t4z', 'INT(8) ZEROFILL', [['42', '42']]],
  [
    't8',
    'BIGINT',
    [
      ['-9223372036854775808', '-9223372036854775808'],
      ['9223372036854775807', '9223372036854775807'],
      ['9007199254740993', '9007199254740993'],
      ['-9007199254740993', '-9007199254740993'],
      ['-1', '-1'],
      ['-4294967296', '-4294967296'],
    ],
  ],
  [
    't8u',
    'BIGINT UNSIGNED',
    [
      ['18446744073709551615', '18446744073709551615'],
      ['9007199254740992', '9007199254740992'],
    ],
  ],
  [
    'd1',
    'DECIMAL(65,30)',
    [
      [
        '99999999999999999999999999999999999.999999999999999999999999999999',
        '99999999999999999999999999999999999.999999999999999999999999999999',
      ],
      ['-0.000000000000000000000000000001', '-0.000000000000000000000000000001'],
    ],
  ],
  [
    'd2',
    'DECIMAL(5,0)',
    [
      ['-99999', '-99999'],
      ['0', '0'],
    ],
  ],
  [
    'd3',
    'DECIMAL(9,9)',
    [
      ['0.123456789', '0.123456789'],
      ['-0.00', '0.000000000'],
    ],
  ],
  ['d4', 'DECIMAL(12,2) ZEROFILL', [['1.5', '1.50']]],
  [
    'f',
    'FLOAT',
    [
      ['0.1', `f${Math.fround(0.1)}`],
      ['16777217', 'f16777216'],
      ['-3.25e30', `f${Math.fround(-3.25e30)}`],
    ],
  ],
  [
    'd',
    'DOUBLE',
    [
      ['0.1', 'd0.1'],
      ['1.7976931348623157e308', 'd1.7976931348623157e+308'],
      ['9.666666984558105', 'd9.666666984558105'],
    ],
  ],
  [
    'da',
    'DATE',
    [
      ["'2024-02-29'", '2024-2-29'],
      ["'0000-00-00'", '0-0-0'],
      ["'2023-00-15'", '2023-0-15'],
      ["'9999-12-31'", '9999-12-31'],
    ],
  ],
  [
    'ti',
    'TIME',
    [
      ["'838:59:59'", '3020399000000us'],
      ["'-838:59:59'", '-3020399000000us'],
      ["'-00:00:01'", '-1000000us'],
    ],
  ],
  [
    'ti2',
    'TIME(2)',
    [
      ["'-00:00:00.01'", '-10000us'],
      ["'00:00:00.99'", '990000us'],
    ],
  ],
  [
    'ti6',
    'TIME(6)',
    [
      ["'-01:00:00.000001'", '-3600000001us'],
      ["'-00:00:00.999999'", '-999999us'],
    ],
  ],
  [
    'dt',
    'DATETIME',
    [
      ["'0000-00-00 00:00:00'", '0-0-0 0:0:0+0us'],
      ["'1000-01-01 00:00:00'", '1000-1-1 0:0:0+0us'],
    ],
  ],
  ['dt1', 'DATETIME(1)', [["'2024-02-29 23:59:58.9'", '2024-2-29 23:59:58+900000us']]],
  ['dt3', 'DATETIME(3)', [["'2024-02-29 23:59:58.123'", '2024-2-29 23:59:58+123000us']]],
  ['dt5', 'DATETIME(5)', [["'2024-02-29 23:59:58.12345'", '2024-2-29 23:59:58+123450us']]],
  [
    'dt6',
    'DATETIME(6)',
    [
      ["'9999-12-31 23:59:59.999999'", '9999-12-31 23:59:59+999999us'],
      ["'1969-12-31 23:59:59.999999'", '1969-12-31 23:59:59+999999us'],
    ],
  ],
  [
    'ts',
    'TIMESTAMP NULL',
    [
      ["'1970-01-01 00:00:01'", '@1+0us'],
      ["'2038-01-19 03:14:07'", '@2147483647+0us'],
      ["'0000-00-00 00:00:00'", '@0+0us'],
    ],
  ],
  ['ts6', 'TIMESTAMP(6) NULL', [["'2024-02-29 23:59:58.123456'", '@1709251198+123456us']]],
  [
    'y',
    'YEAR',
    [
      ['1901', '1901'],
      ['2155', '2155'],
      ['0', '0'],
    ],
  ],
  [
    'c',
    'CHAR(5)',
    [
      ["'ab  '", 'ab'],
      ["''", ''],
      ["'李🧦'", '李🧦'],
    ],
  ],
  ['c255', 'CHAR(255)', [["REPEAT('é', 255)", 'é'.repeat(255)]]],
  ['v', 'VARCHAR(255)', [["'a\\'\\\\\\n\\t\\0z  '", "a'\\\n\t\0z  "]]],
  ['v63', 'VARCHAR(63)', [["'short'", 'short']]],
  ['vl', 'VARCHAR(100) CHARACTER SET latin1', [["'é€'", 'é€']]],
  ['vg', 'VARCHAR(100) CHARACTER SET gbk', [["'中文'", '中文']]],
  ['vb', 'VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', [["'Bin'", 'Bin']]],
  ['vu', 'VARCHAR(20) CHARACTER SET utf16', [["'u16 李'", 'u16 李']]],
  ['tx', 'TINYTEXT', [["'t'", 't']]],
  ['mx', 'MEDIUMTEXT', [["REPEAT('m', 70000)", 'm'.repeat(70000)]]],
  ['lx', 'LONGTEXT CHARACTER SET latin1', [["REPEAT('ü', 300)", 'ü'.repeat(300)]]],
  [
    'b',
    'BINARY(4)',
    [
      ["X'6100'", 'x61000000'],
      ["X'00000000'", 'x00000000'],
    ],
  ],
  [
    'vbn',
    'VARBINARY(300)',
    [
      ["X'00FF00'", 'x00ff00'],
      ["''", 'x'],
    ],
  ],
  ['bl', 'BLOB', [["X'0001'", 'x0001']]],
  ['lb', 'LONGBLOB', [["REPEAT(X'AB', 66000)", `x${'ab'.repeat(66000)}`]]],
  [
    'e',
    "ENUM('a','b''c','ü','d\\\\e\\nf\\0\\'g')",
    [
      ["'b\\'c'", "b'c#2"],
      ["'ü'", 'ü#3'],
      ['4', "d\\e\nf\0'g#4"],
    ],
  ],
  [
    's',
    "SET('x','y','z')",
    [
      ["'x,z'", 'x,z#5'],
      ["''", '#0'],
    ],
  ],
  [
    'bi',
    'BIT(9)',
    [
      ["b'100000001'", 'x0101'],
      ["b'0'", 'x0000'],
    ],
  ],
];

const TABLE = `CREATE TABLE v (id INT PRIMARY KEY, ${COLUMNS.map(([name, type]) => `${name} ${type}${type.includes('NULL') ? '' : ' NULL'}`).join(', ')})`;

/** One row of NULLs, then per column one row for each of its literals. */
function rows(): { sql: string; expected: Values[] } {
  const nothing = Object.fromEntries(COLUMNS.map(([name]) => [name, null]));
  const statements = ['INSERT INTO v (id) VALUES (1)'];
  const expected: Values[] = [{ id: '1', ...nothing }];
  for (const [name, , values] of COLUMNS) {
    for (const [literal, value] of values) {
      const id = expected.length + 1;
      statements.push(`INSERT INTO v (id, ${name}) VALUES (${id}, ${literal})`);
      expected.push({ id: String(id), ...nothing, [name]: value });
    }
  }
  return { sql: statements.join('; '), expected };
}

const byId = (values: readonly Values[]) => values.toSorted((a, b) => Number(a['id']) - Number(b['id']));

for (const family of FAMILIES) {
  void describe(`values of ${family}`, () => {
    void it('are the same in a load and in the stream, and what was written, to the edges of every type', async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      await client.query(TABLE);
      await client.query(TABLE.replace('TABLE v', 'TABLE w'));
      const { sql, expected } = rows();
      await client.query(sql);
      const source = openSource(server, database);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, 'v'), await joining(source, database, 'w')]);
      try {
        await follower.until(
          () => follower.state(database, 'v') === 'STREAMING' && follower.state(database, 'w') === 'STREAMING',
        );
        await client.query(sql.replaceAll('INTO v', 'INTO w'));
        await follower.until(() => follower.rows(database, 'w').length === expected.length);
        assert.deepEqual(byId(follower.rows(database, 'v')), expected);
        assert.deepEqual(byId(follower.rows(database, 'w')), expected);
      } finally {
        await follower.stop();
        await client.end();
      }
    });
  });
}
