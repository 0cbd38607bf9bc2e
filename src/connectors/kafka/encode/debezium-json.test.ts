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
import type { RowsPart } from '../../../pipeline/batch.ts';
import type { ValueType } from '../../../pipeline/table.ts';
import { DebeziumJson } from './debezium-json.ts';
import type { DirtyRecord } from './envelope.ts';

const ORDERS = scriptedTable(
  'shop',
  'orders',
  { id: { kind: 'integer', bytes: 8, unsigned: false }, buyer: { kind: 'text' } },
  ['id'],
);
const ANN = [1, 'ann'] as const;
const BOB = [1, 'bob'] as const;
const MOVED = [22, 'bob'] as const;
const TIME_NS = '1700000000123456000';
const PLAIN = new DebeziumJson(envelopeOptions(), { withSchema: false });
const WITH_SCHEMA = new DebeziumJson(envelopeOptions(), { withSchema: true });

function imageOf([id, buyer]: readonly [number, string]) {
  return { id, buyer };
}

interface Change {
  readonly op: string;
  readonly before?: readonly [number, string];
  readonly after?: readonly [number, string];
  readonly row?: number;
  readonly gtid?: string;
}

function value({ op, before, after, row = 5, gtid }: Change): string {
  const ns = (text: string) => `@${text}`;
  const json = JSON.stringify({
    before: before === undefined ? null : imageOf(before),
    after: after === undefined ? null : imageOf(after),
    source: {
      version: '0.1.0',
      connector: 'mysql',
      name: 'shop_source',
      ts_ms: 1700000000123,
      ts_us: 1700000000123456,
      ts_ns: ns(TIME_NS),
      snapshot: op === 'r' ? 'true' : 'false',
      db: 'shop',
      sequence: null,
      table: 'orders',
      server_id: 11,
      gtid: gtid ?? null,
      file: 'binlog.000031',
      pos: 123456789,
      row,
      thread: null,
      query: null,
    },
    op,
    ts_ms: NOW,
    ts_us: NOW * 1000,
    ts_ns: ns(`${NOW}000000`),
    transaction: null,
  });
  return json.replaceAll(/"@(\d+)"/g, '$1');
}

function record(key: string | null, json: string | null, partition: number, headers: readonly unknown[] = []) {
  return { topic: 'orders', partition, key, value: json, time: 1700000000123n, headers };
}

const ONE = '{"id":1}';
const OTHER = '{"id":22}';
const PARTITION_OF_ONE = encoded(PLAIN, [logged(inserts(ORDERS, [ANN]))])[0]?.partition ?? -1;
const PARTITION_OF_OTHER = encoded(PLAIN, [logged(inserts(ORDERS, [MOVED]))])[0]?.partition ?? -1;

void test('each change is one record, a delete is followed by a tombstone', () => {
  const cases: readonly (readonly [RowsPart, Change])[] = [
    [inserts(ORDERS, [ANN]), { op: 'c', after: ANN }],
    [inserts(ORDERS, [ANN], 'read'), { op: 'r', after: ANN }],
    [updates(ORDERS, [[ANN, BOB]]), { op: 'u', before: ANN, after: BOB }],
  ];
  for (const [part, change] of cases) {
    assert.deepEqual(encoded(PLAIN, [logged(part)]), [record(ONE, value(change), PARTITION_OF_ONE)]);
  }
  assert.deepEqual(encoded(PLAIN, [logged(deletes(ORDERS, [ANN]), { place: { ...PLACE, gtid: 'a-b:7' } })]), [
    record(ONE, value({ op: 'd', before: ANN, gtid: 'a-b:7' }), PARTITION_OF_ONE),
    record(ONE, null, PARTITION_OF_ONE),
  ]);
});

void test('a changed key is a delete and its tombstone, then a create, each naming the other', () => {
  assert.notEqual(PARTITION_OF_ONE, PARTITION_OF_OTHER);
  const part = updates(ORDERS, [
    [ANN, BOB],
    [BOB, MOVED],
  ]);
  assert.deepEqual(encoded(PLAIN, [logged(part)]), [
    record(ONE, value({ op: 'u', before: ANN, after: BOB }), PARTITION_OF_ONE),
    record(ONE, value({ op: 'd', before: BOB, row: 6 }), PARTITION_OF_ONE, [['__debezium.newkey', OTHER]]),
    record(ONE, null, PARTITION_OF_ONE),
    record(OTHER, value({ op: 'c', after: MOVED, row: 6 }), PARTITION_OF_OTHER, [['__debezium.oldkey', ONE]]),
  ]);
});

void test('a table without a key has null keys, and no tombstones', () => {
  const table = { ...ORDERS, key: [] };
  assert.deepEqual(encoded(PLAIN, [logged(deletes(table, [ANN, [2, 'x']]))]), [
    record(null, value({ op: 'd', before: ANN }), 570428637 % 6),
    record(null, value({ op: 'd', before: [2, 'x'], row: 6 }), 570428637 % 6),
  ]);
});

void test('a TRUNCATE is a record without a key, other statements are none', () => {
  const statement = { kind: 'ddl', table: ORDERS, statement: 'x', timeMicros: TIME_MICROS, place: PLACE } as const;
  assert.deepEqual(
    encoded(PLAIN, [
      { ...statement, ddl: 'ADDCOLUMN' },
      { ...statement, ddl: 'TRUNCATETABLE' },
    ]),
    [record(null, value({ op: 't', row: 0 }), 570428637 % 6)],
  );
});

void test('a row that its topic does not take leaves nothing behind', () => {
  const dirty: DirtyRecord[] = [];
  const envelope = new DebeziumJson(envelopeOptions({ onDirty: (told) => dirty.push(told) }), { withSchema: false });
  const long = [21, 'x'.repeat(3000)] as const;
  const part = updates(ORDERS, [
    [ANN, long],
    [ANN, BOB],
  ]);
  assert.deepEqual(encoded(envelope, [logged(part)], { ...TOPIC, maxRecordBytes: 2000 }), [
    record(ONE, value({ op: 'u', before: ANN, after: BOB, row: 6 }), PARTITION_OF_ONE),
  ]);
  assert.equal(dirty.length, 1);
});

void test('with schemas, keys and values carry those of Connect', () => {
  const [found] = encoded(WITH_SCHEMA, [logged(inserts(ORDERS, [ANN]))]);
  const fields = [
    { type: 'int64', optional: false, field: 'id' },
    { type: 'string', optional: true, field: 'buyer' },
  ];
  assert.deepEqual(JSON.parse(found?.key ?? ''), {
    schema: {
      type: 'struct',
      fields: [{ type: 'int64', optional: false, field: 'id' }],
      optional: false,
      name: 'shop_source.shop.orders.Key',
    },
    payload: { id: 1 },
  });
  const { schema, payload } = JSON.parse(found?.value ?? '') as { schema: SchemaFound; payload: unknown };
  assert.deepEqual(payload, JSON.parse(value({ op: 'c', after: ANN })));
  assert.equal(schema.name, 'shop_source.shop.orders.Envelope');
  const image = { type: 'struct', fields, optional: true, name: 'shop_source.shop.orders.Value' };
  assert.deepEqual(schema.fields.slice(0, 2), [
    { ...image, field: 'before' },
    { ...image, field: 'after' },
  ]);
  assert.deepEqual(namesOf(schema), Object.keys(payload as object));
  const source = schema.fields[2];
  assert.ok(source !== undefined);
  assert.deepEqual(namesOf(source), Object.keys((payload as { source: object }).source));
  assert.equal(source.name, 'io.debezium.connector.mysql.Source');
});

void test('the names of schemas have only characters that Avro takes', () => {
  const table = { ...ORDERS, id: { database: 'sh-op', table: 'örders.x' } };
  const [found] = encoded(WITH_SCHEMA, [logged(inserts(table, [ANN]))]);
  assert.match(found?.key ?? '', /"name":"shop_source\.sh_op\._rders_x\.Key"/);
});

interface SchemaFound {
  readonly name: string;
  readonly field: string;
  readonly fields: readonly SchemaFound[];
}

function namesOf({ fields }: SchemaFound): string[] {
  return fields.map(({ field }) => field);
}

const text = (of: string) => JSON.stringify(of);
const VALUES: readonly (readonly [ValueType, object, readonly (readonly [ScriptedValue, string])[]])[] = [
  [{ kind: 'integer', bytes: 1, unsigned: false }, { type: 'int16' }, [[-128, '-128']]],
  [{ kind: 'integer', bytes: 1, unsigned: true }, { type: 'int16' }, [[255, '255']]],
  [{ kind: 'integer', bytes: 2, unsigned: true }, { type: 'int32' }, [[65535, '65535']]],
  [{ kind: 'integer', bytes: 3, unsigned: true }, { type: 'int32' }, [[16777215, '16777215']]],
  [{ kind: 'integer', bytes: 4, unsigned: false }, { type: 'int32' }, [[-2147483648, '-2147483648']]],
  [{ kind: 'integer', bytes: 4, unsigned: true }, { type: 'int64' }, [[4294967295, '4294967295']]],
  [
    { kind: 'integer', bytes: 8, unsigned: true },
    { type: 'int64' },
    [
      [18446744073709551615n, '18446744073709551615'],
      [null, 'null'],
    ],
  ],
  [
    { kind: 'integer', bytes: 8, unsigned: false },
    { type: 'int64' },
    [[-9223372036854775808n, '-9223372036854775808']],
  ],
  [
    { kind: 'decimal', precision: 65, scale: 30 },
    { type: 'string' },
    [[`-${'9'.repeat(35)}.${'9'.repeat(30)}`, `"-${'9'.repeat(35)}.${'9'.repeat(30)}"`]],
  ],
  [{ kind: 'float' }, { type: 'float' }, [[0.1, '0.1']]],
  [{ kind: 'double' }, { type: 'double' }, [[-1.7976931348623157e308, '-1.7976931348623157e+308']]],
  [
    { kind: 'text' },
    { type: 'string' },
    [
      ['"\\\n\u0000😀', text('"\\\n\u0000😀')],
      ['', '""'],
    ],
  ],
  [{ kind: 'bytes' }, { type: 'bytes' }, [[Uint8Array.of(0, 255, 1), '"AP8B"']]],
  [
    { kind: 'date' },
    { type: 'int32', name: 'io.debezium.time.Date', version: 1 },
    [
      ['1970-01-02', '1'],
      ['1000-01-01', '-354285'],
      ['0000-00-00', 'null'],
    ],
  ],
  [
    { kind: 'time', fraction: 6 },
    { type: 'int64', name: 'io.debezium.time.MicroTime', version: 1 },
    [[-3020399999999, '-3020399999999']],
  ],
  [
    { kind: 'datetime', fraction: 3 },
    { type: 'int64', name: 'io.debezium.time.Timestamp', version: 1 },
    [
      ['2026-01-01 00:00:00.123', '1767225600123'],
      ['0000-00-00 00:00:00.000', 'null'],
    ],
  ],
  [
    { kind: 'datetime', fraction: 6 },
    { type: 'int64', name: 'io.debezium.time.MicroTimestamp', version: 1 },
    [
      ['9999-12-31 23:59:59.999999', '253402300799999999'],
      ['1000-01-01 00:00:00.000001', '-30610223999999999'],
      ['1969-12-31 23:59:59.999999', '-1'],
      ['1970-01-01 00:00:00.000042', '42'],
    ],
  ],
  [
    { kind: 'instant', fraction: 0 },
    { type: 'string', name: 'io.debezium.time.ZonedTimestamp', version: 1 },
    [
      ['2024-02-29 01:02:03', '"2024-02-29T01:02:03Z"'],
      ['0', 'null'],
    ],
  ],
  [
    { kind: 'instant', fraction: 4 },
    { type: 'string', name: 'io.debezium.time.ZonedTimestamp', version: 1 },
    [['2038-01-19 03:14:07.120000', '"2038-01-19T03:14:07.1200Z"']],
  ],
  [{ kind: 'year' }, { type: 'int32', name: 'io.debezium.time.Year', version: 1 }, [[2024, '2024']]],
  [
    { kind: 'bits', width: 1 },
    { type: 'boolean' },
    [
      [Uint8Array.of(1), 'true'],
      [Uint8Array.of(0), 'false'],
    ],
  ],
  [
    { kind: 'bits', width: 12 },
    { type: 'bytes', name: 'io.debezium.data.Bits', version: 1, parameters: { length: '12' } },
    [[Uint8Array.of(0x0a, 0xbc), text(Buffer.of(0xbc, 0x0a).toString('base64'))]],
  ],
  [
    { kind: 'label', labels: ['a', 'b'], set: false },
    { type: 'string', name: 'io.debezium.data.Enum', version: 1, parameters: { allowed: 'a,b' } },
    [['b', '"b"']],
  ],
  [
    { kind: 'label', labels: ['a', 'b'], set: true },
    { type: 'string', name: 'io.debezium.data.EnumSet', version: 1, parameters: { allowed: 'a,b' } },
    [['a,b', '"a,b"']],
  ],
  [{ kind: 'json' }, { type: 'string', name: 'io.debezium.data.Json', version: 1 }, [['{"a": 1}', '"{\\"a\\": 1}"']]],
  [
    { kind: 'geometry' },
    {
      type: 'struct',
      fields: [
        { type: 'bytes', optional: false, field: 'wkb' },
        { type: 'int32', optional: true, field: 'srid' },
      ],
      name: 'io.debezium.data.geometry.Geometry',
      version: 1,
    },
    [[Uint8Array.of(1, 1, 0, 0, 0), '{"wkb":"AQEAAAA=","srid":0}']],
  ],
  [
    { kind: 'vector' },
    { type: 'array', items: { type: 'float', optional: false }, name: 'io.debezium.data.FloatVector', version: 1 },
    [[[1, -0.1], '[1,-0.1]']],
  ],
];

for (const [type, schema, cases] of VALUES) {
  void test(`${JSON.stringify(type)} has its Debezium type, each value exactly`, () => {
    const table = tableOf(type);
    const part = logged(
      inserts(
        table,
        cases.map(([scripted]) => rowOf(scripted)),
      ),
    );
    const records = encoded(PLAIN, [part]);
    for (const [index, [, json]] of cases.entries()) {
      assert.equal(/"after":\{"id":1,"v":(.*)\},"source"/s.exec(records[index]?.value ?? '')?.[1], json);
    }
    const [found] = encoded(WITH_SCHEMA, [part]);
    const { schema: whole } = JSON.parse(found?.value ?? '') as { schema: SchemaFound };
    assert.deepEqual(whole.fields[1]?.fields[1], { ...schema, optional: true, field: 'v' });
  });
}

void test('what is no date is the epoch where the column may not be null', () => {
  const cases: readonly (readonly [ValueType, ScriptedValue, string])[] = [
    [{ kind: 'date' }, '0000-00-00', '0'],
    [{ kind: 'datetime', fraction: 0 }, '2024-02-31 00:00:00', '0'],
    [{ kind: 'instant', fraction: 0 }, '0', '"1970-01-01T00:00:00Z"'],
  ];
  for (const [type, scripted, json] of cases) {
    const [found] = encoded(PLAIN, [logged(inserts(tableOf(type, { nullable: false }), [rowOf(scripted)]))]);
    assert.equal(/"after":\{"id":1,"v":(.*)\},"source"/s.exec(found?.value ?? '')?.[1], json);
  }
});
