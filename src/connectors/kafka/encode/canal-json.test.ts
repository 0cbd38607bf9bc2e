import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encoded,
  envelopeOptions,
  logged,
  NOW,
  PLACE,
  rowOf,
  tableOf,
  TIME_MICROS,
  TOPIC,
} from '../../../../test/support/encoded-records.ts';
import {
  deletes,
  inserts,
  scriptedTable,
  type ScriptedValue,
  updates,
} from '../../../../test/support/scripted-rows.ts';
import type { ValueType } from '../../../pipeline/table.ts';
import { CanalJson } from './canal-json.ts';
import type { DirtyRecord } from './envelope.ts';

const SCRIPTED = scriptedTable(
  'shop',
  'orders',
  { id: { kind: 'integer', bytes: 8, unsigned: false }, note: { kind: 'text' }, at: { kind: 'datetime', fraction: 0 } },
  ['id'],
);
const SOURCE_TYPES: Readonly<Record<string, string>> = { id: 'bigint', note: 'varchar(20)', at: 'datetime' };
const ORDERS = {
  ...SCRIPTED,
  columns: SCRIPTED.columns.map((column) => ({ ...column, sourceType: SOURCE_TYPES[column.name] ?? '' })),
};
const AT = '2026-01-01 00:00:00';
const A = [1, 'a', AT] as const;
const B = [1, null, AT] as const;
const MOVED = [21, 'a', AT] as const;

function imageOf([id, note, at]: readonly [number, string | null, string]) {
  return { id: String(id), note, at };
}

function message(id: number, type: string, data: object, { old = null as object | null, gtid = '' } = {}): string {
  return JSON.stringify({
    id,
    database: 'shop',
    table: 'orders',
    pkNames: ['id'],
    isDdl: false,
    type,
    es: 1700000000000,
    ts: NOW,
    sql: '',
    sqlType: { id: -5, note: 12, at: 93 },
    mysqlType: SOURCE_TYPES,
    data: [data],
    old: old === null ? null : [old],
    gtid,
  });
}

function record(key: string, value: string, partition: number) {
  return { topic: 'orders', partition, key, value, time: 1700000000123n, headers: [] };
}

/** murmur2 of "1" and of "21", of six. */
const [ONE, OTHER] = ['1', '21'].map(
  (key) =>
    encoded(new CanalJson(envelopeOptions()), [logged(inserts(ORDERS, [[Number(key), null, AT]]))])[0]?.partition,
) as [number, number];

void test('each change is one message, an update with what changed of the old row', () => {
  const part = { place: { ...PLACE, gtid: 'u:7' } };
  const records = encoded(new CanalJson(envelopeOptions()), [
    logged(inserts(ORDERS, [A])),
    logged(updates(ORDERS, [[A, B]]), part),
    logged(updates(ORDERS, [[B, B]])),
    logged(updates(ORDERS, [[B, [1, 'b', '2026-01-01 00:00:01']]])),
    logged(deletes(ORDERS, [B])),
    logged(inserts(ORDERS, [A], 'read')),
  ]);
  assert.deepEqual(records, [
    record('1', message(1, 'INSERT', imageOf(A)), ONE),
    record('1', message(2, 'UPDATE', imageOf(B), { old: { note: 'a' }, gtid: 'u:7' }), ONE),
    record('1', message(3, 'UPDATE', imageOf(B), { old: {} }), ONE),
    record('1', message(4, 'UPDATE', imageOf([1, 'b', '2026-01-01 00:00:01']), { old: { note: null, at: AT } }), ONE),
    record('1', message(5, 'DELETE', imageOf(B)), ONE),
    record('1', message(6, 'INSERT', imageOf(A)), ONE),
  ]);
});

void test('a changed key is a DELETE and an INSERT, each under its own', () => {
  assert.notEqual(ONE, OTHER);
  const part = updates(ORDERS, [
    [A, MOVED],
    [B, A],
  ]);
  assert.deepEqual(encoded(new CanalJson(envelopeOptions()), [logged(part)]), [
    record('1', message(1, 'DELETE', imageOf(A)), ONE),
    record('1', message(3, 'UPDATE', imageOf(A), { old: { note: null } }), ONE),
    record('21', message(2, 'INSERT', imageOf(MOVED)), OTHER),
  ]);
});

void test('a custom key that changes in an update is a key like any other', () => {
  const to = { ...TOPIC, keyColumns: [1] };
  assert.deepEqual(
    encoded(new CanalJson(envelopeOptions()), [logged(updates(ORDERS, [[A, [1, 'b', AT]]]))], to).map(
      ({ key, value }) => [key, /"type":"(\w+)"/.exec(value ?? '')?.[1]],
    ),
    [
      ['a', 'DELETE'],
      ['b', 'INSERT'],
    ],
  );
});

void test('a statement is a message with its text', () => {
  const statement = 'TRUNCATE "orders"';
  assert.deepEqual(
    encoded(new CanalJson(envelopeOptions()), [
      { kind: 'ddl', table: ORDERS, ddl: 'TRUNCATETABLE', statement, timeMicros: TIME_MICROS, place: PLACE },
    ]),
    [
      record(
        '',
        JSON.stringify({
          id: 1,
          database: 'shop',
          table: 'orders',
          pkNames: null,
          isDdl: true,
          type: 'TRUNCATE',
          es: 1700000000000,
          ts: NOW,
          sql: statement,
          sqlType: null,
          mysqlType: null,
          data: null,
          old: null,
          gtid: '',
        }),
        570428637 % 6,
      ),
    ],
  );
});

void test('a row that its topic does not take leaves nothing behind', () => {
  const dirty: DirtyRecord[] = [];
  const envelope = new CanalJson(envelopeOptions({ onDirty: (told) => dirty.push(told) }));
  const long = 'x'.repeat(3_000_000);
  const part = updates(ORDERS, [
    [A, [21, long, AT]],
    [A, [1, long, AT]],
    [[1, long, AT], A],
    [A, B],
  ]);
  assert.deepEqual(
    encoded(envelope, [logged(part)], { ...TOPIC, maxRecordBytes: 2000 }).map(({ key, value }) => [
      key,
      /"old":(.*),"gtid"/.exec(value ?? '')?.[1],
    ]),
    [['1', '[{"note":"a"}]']],
  );
  assert.deepEqual(
    dirty.map(({ bytes }) => bytes > 3_000_000),
    [true, true, true],
  );
});

const text = (of: string) => JSON.stringify(of);
const VALUES: readonly (readonly [
  ValueType,
  { readonly sourceType: string; readonly sqlType: number },
  readonly (readonly [ScriptedValue, string])[],
])[] = [
  [{ kind: 'integer', bytes: 1, unsigned: false }, { sourceType: 'tinyint(4)', sqlType: -6 }, [[-128, '"-128"']]],
  [{ kind: 'integer', bytes: 1, unsigned: true }, { sourceType: 'tinyint unsigned', sqlType: 5 }, [[255, '"255"']]],
  [{ kind: 'integer', bytes: 2, unsigned: false }, { sourceType: 'smallint', sqlType: 5 }, [[1, '"1"']]],
  [{ kind: 'integer', bytes: 2, unsigned: true }, { sourceType: 'smallint unsigned', sqlType: 4 }, [[1, '"1"']]],
  [{ kind: 'integer', bytes: 3, unsigned: true }, { sourceType: 'mediumint unsigned', sqlType: 4 }, [[1, '"1"']]],
  [{ kind: 'integer', bytes: 4, unsigned: false }, { sourceType: 'int', sqlType: 4 }, [[1, '"1"']]],
  [{ kind: 'integer', bytes: 4, unsigned: true }, { sourceType: 'int unsigned', sqlType: -5 }, [[1, '"1"']]],
  [
    { kind: 'integer', bytes: 8, unsigned: true },
    { sourceType: 'bigint(20) unsigned', sqlType: 3 },
    [
      [18446744073709551615n, '"18446744073709551615"'],
      [null, 'null'],
    ],
  ],
  [
    { kind: 'decimal', precision: 65, scale: 30 },
    { sourceType: 'decimal(65,30)', sqlType: 3 },
    [[`-${'9'.repeat(35)}.${'0'.repeat(30)}`, `"-${'9'.repeat(35)}.${'0'.repeat(30)}"`]],
  ],
  [{ kind: 'float' }, { sourceType: 'float', sqlType: 7 }, [[0.1, '"0.1"']]],
  [{ kind: 'double' }, { sourceType: 'double', sqlType: 8 }, [[1e300, '"1e+300"']]],
  [
    { kind: 'date' },
    { sourceType: 'date', sqlType: 91 },
    [
      ['0000-00-00', '"0000-00-00"'],
      ['2024-02-31', '"2024-02-31"'],
    ],
  ],
  [{ kind: 'time', fraction: 6 }, { sourceType: 'time(6)', sqlType: 92 }, [[-3020399999999, '"-838:59:59.999999"']]],
  [
    { kind: 'datetime', fraction: 6 },
    { sourceType: 'datetime(6)', sqlType: 93 },
    [
      ['0000-00-00 00:00:00.000000', '"0000-00-00 00:00:00.000000"'],
      ['9999-12-31 23:59:59.999999', '"9999-12-31 23:59:59.999999"'],
    ],
  ],
  [
    { kind: 'instant', fraction: 2 },
    { sourceType: 'timestamp(2)', sqlType: 93 },
    [
      ['2038-01-19 03:14:07.120000', '"2038-01-19 11:14:07.12"'],
      ['0', '"0000-00-00 00:00:00.00"'],
    ],
  ],
  [
    { kind: 'year' },
    { sourceType: 'year(4)', sqlType: 12 },
    [
      [2024, '"2024"'],
      [0, '"0000"'],
    ],
  ],
  [
    { kind: 'bits', width: 64 },
    { sourceType: 'bit(64)', sqlType: -7 },
    [[new Uint8Array(8).fill(255), '"18446744073709551615"']],
  ],
  [{ kind: 'bits', width: 1 }, { sourceType: 'bit(1)', sqlType: -7 }, [[Uint8Array.of(1), '"1"']]],
  [{ kind: 'text' }, { sourceType: 'char(3)', sqlType: 1 }, [['ž"', text('ž"')]]],
  [{ kind: 'text' }, { sourceType: 'varchar(3)', sqlType: 12 }, [['', '""']]],
  [{ kind: 'text' }, { sourceType: 'mediumtext', sqlType: 2005 }, [['\u0000\n', text('\u0000\n')]]],
  [
    { kind: 'bytes' },
    { sourceType: 'longblob', sqlType: 2004 },
    [
      [
        Uint8Array.from({ length: 256 }, (_, i) => i),
        text(Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')),
      ],
    ],
  ],
  [{ kind: 'bytes', length: 2 }, { sourceType: 'binary(2)', sqlType: -2 }, [[Uint8Array.of(0, 233), text('\u0000é')]]],
  [{ kind: 'bytes' }, { sourceType: 'varbinary(2)', sqlType: -3 }, [[Uint8Array.of(), '""']]],
  [{ kind: 'label', labels: ['a', 'b'], set: false }, { sourceType: "enum('a','b')", sqlType: 12 }, [['b', '"b"']]],
  [{ kind: 'label', labels: ['a', 'b'], set: true }, { sourceType: "set('a','b')", sqlType: 12 }, [['a,b', '"a,b"']]],
  [{ kind: 'json' }, { sourceType: 'json', sqlType: 12 }, [['{"a": [1, 2]}', '"{\\"a\\": [1, 2]}"']]],
  [{ kind: 'geometry' }, { sourceType: 'point', sqlType: 2004 }, [[Uint8Array.of(1, 200), text('\u0001È')]]],
];

for (const [type, { sourceType, sqlType }, cases] of VALUES) {
  void test(`${sourceType} has its Canal type, each value exactly`, () => {
    const table = tableOf(type, { sourceType });
    const envelope = new CanalJson(envelopeOptions({ timeZone: 'Asia/Shanghai' }));
    const records = encoded(envelope, [
      logged(
        inserts(
          table,
          cases.map(([value]) => rowOf(value)),
        ),
      ),
    ]);
    for (const [index, [, json]] of cases.entries()) {
      const value = records[index]?.value ?? '';
      assert.equal(/"data":\[\{"id":"1","v":(.*)\}\],"old"/s.exec(value)?.[1], json);
      const { sqlType: types, mysqlType } = JSON.parse(value) as { sqlType: { v: number }; mysqlType: { v: string } };
      assert.deepEqual([types.v, mysqlType.v], [sqlType, sourceType]);
    }
  });
}

void test('an update from a long text is written where it fits compressed', () => {
  const table = tableOf({ kind: 'text' });
  const part = logged(updates(table, [[rowOf('x'.repeat(200_000)), rowOf('y')]]));
  const to = { ...TOPIC, compression: 'lz4', maxRecordBytes: 100_000 } as const;
  const [record, ...more] = encoded(new CanalJson(envelopeOptions()), [part], to);
  assert.deepEqual(more, []);
  assert.deepEqual((JSON.parse(record?.value ?? '') as { old: unknown }).old, [{ v: 'x'.repeat(200_000) }]);
});
