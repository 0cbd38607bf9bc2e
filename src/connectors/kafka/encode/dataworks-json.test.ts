import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encoded,
  envelopeOptions,
  logged,
  NOW,
  PLACE,
  recordsOf,
  rowOf,
  SERVER,
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
import { CommitRecords } from './commit-records.ts';
import { DataWorksJson } from './dataworks-json.ts';
import type { DirtyRecord } from './envelope.ts';

const ORDERS = scriptedTable(
  'shop',
  'orders',
  {
    id: { kind: 'integer', bytes: 8, unsigned: false },
    buyer: { kind: 'text' },
    at: { kind: 'datetime', fraction: 3 },
  },
  ['id'],
);
const SCHEMA = {
  dataColumn: [
    { name: 'id', type: 'LONG' },
    { name: 'buyer', type: 'STRING' },
    { name: 'at', type: 'DATE' },
  ],
  primaryKey: ['id'],
  source: { dbType: 'mysql', dbVersion: SERVER.version, dbName: 'shop', schemaName: 'shop', tableName: 'orders' },
};
const ANN = [1, 'ann', '2026-01-01 00:00:00.123'] as const;
const BOB = [1, 'bob', '2026-01-01 00:00:00.123'] as const;

function image([id, buyer]: readonly [number, string, string]) {
  return { dataColumn: { id, buyer, at: 1767225600123 } };
}

function payload(op: string, images: { before?: unknown; after?: unknown }, row = 5) {
  return {
    before: null,
    after: null,
    ...images,
    sequenceId: `0020000031000123456789${String(row).padStart(10, '0')}`,
    op,
    timestamp: { eventTime: 1700000000123, systemTime: NOW, checkpointTime: 1700000000123 },
    ddl: null,
  };
}

function expected(payloads: readonly unknown[], key = '1') {
  return payloads.map((payload) => ({
    topic: 'orders',
    partition: 3, // murmur2("1") of 6
    key,
    value: JSON.stringify({ schema: SCHEMA, payload, version: '0.0.1' }),
    time: 1700000000123n,
    headers: [],
  }));
}

void test('each change is the documented record, an update two with one sequenceId', () => {
  const envelope = new DataWorksJson(envelopeOptions());
  assert.deepEqual(
    encoded(envelope, [logged(inserts(ORDERS, [ANN]))]),
    expected([payload('INSERT', { after: image(ANN) })]),
  );
  assert.deepEqual(
    encoded(envelope, [logged(inserts(ORDERS, [ANN], 'read'))]),
    expected([payload('INSERT', { after: image(ANN) })]),
  );
  assert.deepEqual(
    encoded(envelope, [logged(updates(ORDERS, [[ANN, BOB]]))]),
    expected([payload('UPDATE_BEFOR', { before: image(ANN) }), payload('UPDATE_AFTER', { after: image(BOB) })]),
  );
  assert.deepEqual(
    encoded(envelope, [logged(deletes(ORDERS, [BOB]))]),
    expected([payload('DELETE', { before: image(BOB) })]),
  );
});

void test('rows of one part are numbered, and each half of a changed key goes where its key goes', () => {
  const envelope = new DataWorksJson(envelopeOptions());
  const moved = [21, 'ann', ANN[2]] as const;
  const records = encoded(envelope, [
    logged(
      updates(ORDERS, [
        [ANN, BOB],
        [BOB, moved],
      ]),
    ),
  ]);
  assert.deepEqual(records, [
    ...expected([
      payload('UPDATE_BEFOR', { before: image(ANN) }),
      payload('UPDATE_AFTER', { after: image(BOB) }),
      payload('UPDATE_BEFOR', { before: image(BOB) }, 6),
    ]),
    ...expected([payload('UPDATE_AFTER', { after: image(moved) }, 6)], '21').map((record) => ({
      ...record,
      partition: (-973932308 & 0x7fffffff) % 6,
    })),
  ]);
});

void test('a heartbeat names nothing but its times', () => {
  const commit = new CommitRecords(0);
  new DataWorksJson(envelopeOptions()).heartbeat('orders', 2, { eventTime: 10, checkpointTime: 9 }, commit);
  assert.deepEqual(recordsOf(commit), [
    {
      topic: 'orders',
      partition: 2,
      key: '',
      value: JSON.stringify({
        schema: { dataColumn: null, primaryKey: null, source: null },
        payload: {
          before: null,
          after: null,
          sequenceId: null,
          op: 'MHEARTBEAT',
          timestamp: { eventTime: 10, checkpointTime: 9 },
          ddl: null,
        },
        version: '0.0.1',
      }),
      time: 10n,
      headers: [],
    },
  ]);
});

void test('rows of long texts take hardly more memory than their records, and give it back', () => {
  const commit = new CommitRecords(1 << 30);
  const envelope = new DataWorksJson(envelopeOptions());
  const row = [1, 'x'.repeat(20_000), null] as const;
  for (let i = 0; i < 200; i += 1) envelope.rows(logged(inserts(ORDERS, [row])), TOPIC, commit);
  assert.equal(commit.finish().length, 5);
  assert.equal(commit.memoryBytes, 5 << 20);
  const huge = [1, 'x'.repeat(8 << 20), null] as const;
  envelope.rows(logged(inserts(ORDERS, [huge])), { ...TOPIC, maxRecordBytes: 64 << 20 }, commit);
  envelope.rows(logged(inserts(ORDERS, [row])), TOPIC, commit);
  assert.equal(commit.finish().length, 7);
  assert.ok(commit.memoryBytes <= 16 << 20);
  const texts = recordsOf(commit).map(({ value }) => /"buyer":"(x*)"/.exec(value ?? '')?.[1]?.length);
  assert.deepEqual(texts, [...Array.from({ length: 200 }, () => 20_000), 8 << 20, 20_000]);
  commit.reset(true);
  assert.equal(commit.memoryBytes, 0);
});

void test('a heartbeat makes no batch longer than its topic takes', () => {
  const envelope = new DataWorksJson(envelopeOptions());
  const row = [1, 'x'.repeat(100), null] as const;
  for (let limit = 3000; limit < 3600; limit += 20) {
    const commit = new CommitRecords(0);
    for (let i = 0; i < 20; i += 1)
      envelope.rows(logged(inserts(ORDERS, [row])), { ...TOPIC, maxRecordBytes: limit }, commit);
    envelope.heartbeat('orders', 3, { eventTime: 1, checkpointTime: 1 }, commit);
    const batches = commit.finish();
    assert.deepEqual([...new Set(batches.map(({ partition }) => partition))], [3]);
    assert.ok(batches.every(({ records }) => records.length <= limit));
    assert.equal(recordsOf(commit).length, 21);
  }
});

void test('a statement is a record of its own, with its text', () => {
  const statement = 'ALTER TABLE orders ADD note TEXT COMMENT "x"';
  const [record, ...more] = encoded(new DataWorksJson(envelopeOptions()), [
    { kind: 'ddl', table: ORDERS, ddl: 'ADDCOLUMN', statement, timeMicros: TIME_MICROS, place: PLACE },
  ]);
  assert.deepEqual(more, []);
  const ddlMeta = Buffer.from('{"kind":"ADDCOLUMN","database":"shop","table":"orders"}').toString('base64');
  assert.deepEqual(record, {
    ...expected([{ ...payload('ALTER', {}), ddl: { text: statement, ddlMeta } }], '')[0],
    partition: 570428637 % 6,
  });
});

const text = (value: string) => JSON.stringify(value);
const VALUES: readonly (readonly [ValueType, string, readonly (readonly [ScriptedValue, string])[]])[] = [
  [
    { kind: 'integer', bytes: 8, unsigned: true },
    'LONG',
    [
      [0, '0'],
      [9007199254740991, '9007199254740991'],
      [9007199254740993n, '9007199254740993'],
      [18446744073709551615n, '18446744073709551615'],
      [null, 'null'],
    ],
  ],
  [
    { kind: 'integer', bytes: 8, unsigned: false },
    'LONG',
    [
      [-1, '-1'],
      [-9223372036854775808n, '-9223372036854775808'],
      [-9223372036854775807n, '-9223372036854775807'],
      [9223372036854775807n, '9223372036854775807'],
      [-9007199254740992n, '-9007199254740992'],
      [1_000_000_000, '1000000000'],
      [4_294_967_296, '4294967296'],
      [-18446744069414584n * 500n, '-9223372034707292000'],
    ],
  ],
  [
    { kind: 'decimal', precision: 65, scale: 30 },
    'DOUBLE',
    [
      [`-${'9'.repeat(35)}.${'9'.repeat(30)}`, `-${'9'.repeat(35)}.${'9'.repeat(30)}`],
      ['0.100000000000000000000000000000', '0.100000000000000000000000000000'],
    ],
  ],
  [
    { kind: 'float' },
    'DOUBLE',
    [
      [0.1, '0.1'],
      [3.4028235e38, '3.4028235e+38'],
      [-0, '-0'],
      [0, '0'],
      [16777216, '16777216'],
      [1.5e-45, '1e-45'],
    ],
  ],
  [
    { kind: 'double' },
    'DOUBLE',
    [
      [0.1, '0.1'],
      [-1.7976931348623157e308, '-1.7976931348623157e+308'],
      [5e-324, '5e-324'],
      [-0, '-0'],
      [1234567890123456e4, '12345678901234560000'],
    ],
  ],
  [
    { kind: 'text' },
    'STRING',
    [
      ['', '""'],
      ['"\\\n\u0000\u001f\u007f/', text('"\\\n\u0000\u001f\u007f/')],
      ['žluťoučký kůň 😀 𝒳', text('žluťoučký kůň 😀 𝒳')],
      [
        'plain text that is longer than eight bytes "and" quoted',
        text('plain text that is longer than eight bytes "and" quoted'),
      ],
      ['a'.repeat(200_000) + '\t', text('a'.repeat(200_000) + '\t')],
    ],
  ],
  [
    { kind: 'bytes' },
    'BYTES',
    [0, 1, 2, 3, 4, 255, 100_001].map((length) => {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 7919) & 0xff));
      return [bytes, text(bytes.toString('base64'))] as const;
    }),
  ],
  [
    { kind: 'date' },
    'DATE',
    [
      ['1970-01-01', '0'],
      ['2026-01-01', '1767225600000'],
      ['1000-01-01', '-30610224000000'],
      ['9999-12-31', '253402214400000'],
      ['0000-00-00', 'null'],
      ['2024-00-10', 'null'],
      ['2023-02-30', 'null'],
    ],
  ],
  [
    { kind: 'datetime', fraction: 6 },
    'DATE',
    [
      ['2026-01-01 00:00:00.999999', '1767225600999'],
      ['1969-12-31 23:59:59.999999', '-1'],
      ['1000-01-01 00:00:00.000001', '-30610224000000'],
      ['0000-00-00 00:00:00.000000', 'null'],
    ],
  ],
  [
    { kind: 'instant', fraction: 6 },
    'DATE',
    [
      ['2026-01-01 00:00:00.999999', '1767225600999'],
      ['0', 'null'],
    ],
  ],
  [
    { kind: 'time', fraction: 6 },
    'STRING',
    [
      [-3020399999999, '"-838:59:59.999999"'],
      [3020399000000, '"838:59:59.000000"'],
      [0, '"00:00:00.000000"'],
      [-1, '"-00:00:00.000001"'],
    ],
  ],
  [{ kind: 'time', fraction: 0 }, 'STRING', [[3_723_000_000, '"01:02:03"']]],
  [
    { kind: 'year' },
    'LONG',
    [
      [2024, '2024'],
      [0, '0'],
    ],
  ],
  [
    { kind: 'bits', width: 1 },
    'BOOLEAN',
    [
      [Uint8Array.of(1), 'true'],
      [Uint8Array.of(0), 'false'],
      [null, 'null'],
    ],
  ],
  [{ kind: 'bits', width: 64 }, 'BYTES', [[new Uint8Array(8).fill(255), '"//////////8="']]],
  [
    { kind: 'label', labels: ['', 'a"b'], set: false },
    'STRING',
    [
      ['a"b', text('a"b')],
      ['', '""'],
    ],
  ],
  [{ kind: 'label', labels: ['a', 'b'], set: true }, 'STRING', [['a,b', '"a,b"']]],
  [{ kind: 'json' }, 'STRING', [['{"a": "x\\n", "b": [1, 2.50]}', text('{"a": "x\\n", "b": [1, 2.50]}')]]],
  [{ kind: 'geometry' }, 'BYTES', [[Uint8Array.of(1, 1, 0, 0, 0), '"AQEAAAA="']]],
  [{ kind: 'vector' }, 'BYTES', [[[1, -2], text(Buffer.from(new Float32Array([1, -2]).buffer).toString('base64'))]]],
];

for (const [type, name, cases] of VALUES) {
  void test(`${JSON.stringify(type)} is a ${name}, each value exactly`, () => {
    const table = tableOf(type);
    const records = encoded(new DataWorksJson(envelopeOptions()), [
      logged(
        inserts(
          table,
          cases.map(([value]) => rowOf(value)),
        ),
      ),
    ]);
    const start = `{"schema":{"dataColumn":[{"name":"id","type":"LONG"},{"name":"v","type":"${name}"}],"primaryKey":["id"],`;
    for (const [index, [, json]] of cases.entries()) {
      const value = records[index]?.value ?? '';
      assert.ok(value.startsWith(start), value.slice(0, 300));
      assert.equal(/"after":\{"dataColumn":\{"id":1,"v":(.*)\}\},"sequenceId"/s.exec(value)?.[1], json);
    }
  });
}

void test('dates are those of the zone’s clock', () => {
  const table = scriptedTable(
    'shop',
    'orders',
    { id: { kind: 'datetime', fraction: 0 }, day: { kind: 'date' }, at: { kind: 'instant', fraction: 0 } },
    ['id'],
  );
  const envelope = new DataWorksJson(envelopeOptions({ timeZone: 'Asia/Shanghai' }));
  const row = ['2026-01-01 08:00:00', '2026-01-01', '2026-01-01 00:00:00'] as const;
  const [record] = encoded(envelope, [logged(inserts(table, [row]))]);
  assert.equal(record?.key, '2026-01-01 08:00:00');
  assert.match(record?.value ?? '', /"dataColumn":\{"id":1767225600000,"day":1767196800000,"at":1767225600000\}/);
});

void test('records of a source whose clock is ahead have our time, as brokers refuse times to come', () => {
  const [record] = encoded(new DataWorksJson(envelopeOptions()), [
    logged(inserts(ORDERS, [ANN]), { timeMicros: NOW * 1000 + 7_200_000_000 }),
  ]);
  assert.equal(record?.time, BigInt(NOW));
  assert.match(record?.value ?? '', new RegExp(`"eventTime":${NOW + 7_200_000},`));
});

void test('keys are the text of their values, in key order', () => {
  const table = scriptedTable(
    'shop',
    'orders',
    {
      name: { kind: 'text' },
      id: { kind: 'integer', bytes: 8, unsigned: true },
      at: { kind: 'datetime', fraction: 6 },
      since: { kind: 'instant', fraction: 3 },
      day: { kind: 'date' },
      clock: { kind: 'time', fraction: 1 },
      amount: { kind: 'decimal', precision: 20, scale: 2 },
      flags: { kind: 'bits', width: 64 },
      code: { kind: 'bytes', length: 2 },
      kind: { kind: 'label', labels: ['x'], set: false },
      ratio: { kind: 'float' },
      none: { kind: 'text' },
    },
    ['id', 'name'],
  );
  const row = [
    'žluť,"\n',
    18446744073709551615n,
    '2024-02-29 01:02:03.000004',
    '1969-12-31 23:59:59.100000',
    '0000-00-00',
    -3_600_500_000,
    '-12.50',
    new Uint8Array(8).fill(255),
    Uint8Array.of(0, 255),
    'x',
    -0,
    null,
  ];
  const keyOf = (keyColumns: number[] | null) =>
    encoded(new DataWorksJson(envelopeOptions()), [logged(inserts(table, [row]))], { ...TOPIC, keyColumns })[0]?.key;
  assert.equal(keyOf(null), '18446744073709551615,žluť,"\n');
  assert.equal(
    keyOf([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    '2024-02-29 01:02:03.000004,1969-12-31 23:59:59.100,0000-00-00,-01:00:00.5,-12.50,18446744073709551615,AP8=,x,0,',
  );
});

void test('a table without a key has the empty key and one partition', () => {
  const table = { ...ORDERS, key: [] };
  const records = encoded(new DataWorksJson(envelopeOptions()), [
    logged(inserts(table, [ANN, [2, 'bob', null], [3, 'cid', null]])),
  ]);
  assert.deepEqual(
    records.map(({ key, partition }) => [key, partition]),
    Array.from({ length: 3 }, () => ['', 570428637 % 6]),
  );
  assert.match(records[0]?.value ?? '', /"primaryKey":null/);
});

void test('partitioners put a table into one partition, or everything into the first', () => {
  const rows = [logged(inserts(ORDERS, [ANN, [2, 'bob', null]]))];
  const partitionsOf = (partitioner: 'table' | 'fixed') =>
    encoded(new DataWorksJson(envelopeOptions({ partitioner })), rows).map(({ partition }) => partition);
  assert.deepEqual(partitionsOf('table'), [570428637 % 6, 570428637 % 6]);
  assert.deepEqual(partitionsOf('fixed'), [0, 0]);
});

void test('a row that its topic does not take is told and leaves nothing behind, whichever of its records is too long', () => {
  const dirty: DirtyRecord[] = [];
  const envelope = new DataWorksJson(envelopeOptions({ onDirty: (record) => dirty.push(record) }));
  const to = { ...TOPIC, maxRecordBytes: 20_000 };
  const long = [1, 'x'.repeat(20_000), null] as const;
  const huge = [1, 'x'.repeat(3_000_000), null] as const;
  const records = encoded(
    envelope,
    [
      logged(inserts(ORDERS, [ANN, long, [2, 'bob', null]])),
      logged(
        updates(ORDERS, [
          [ANN, huge],
          [huge, [21, 'ann', null]],
          [ANN, BOB],
        ]),
      ),
    ],
    to,
  );
  assert.deepEqual(
    records.map(({ key, value }) => [key, /"op":"(\w+)"/.exec(value ?? '')?.[1], value?.includes('"buyer":"bob"')]),
    [
      ['1', 'INSERT', false],
      ['1', 'UPDATE_BEFOR', false],
      ['1', 'UPDATE_AFTER', true],
      ['2', 'INSERT', true],
    ],
  );
  assert.deepEqual(
    dirty.map(({ table, topic, bytes, limit }) => [table, topic, bytes > 20_000, limit]),
    Array.from({ length: 3 }, () => [ORDERS.id, 'orders', true, 20_000]),
  );
});

void test('a record of megabytes is whole, in a batch of its own, whatever is before and behind it', () => {
  const envelope = new DataWorksJson(envelopeOptions());
  for (const bytes of [800_000, 1_000_000, 5_000_000]) {
    const long = [2, 'x'.repeat(bytes), null] as const;
    const rows = [ANN, long, BOB, long, ANN];
    const records = encoded(
      envelope,
      [logged(inserts(ORDERS, rows)), logged(updates(ORDERS, [[long, BOB]])), logged(inserts(ORDERS, [ANN]))],
      { ...TOPIC, partitions: 1, maxRecordBytes: 100_000_000 },
    );
    assert.deepEqual(
      records.map(({ key, value }) => [key, /"buyer":"(\w*)"/.exec(value ?? '')?.[1]?.length]),
      [...rows, long, BOB, ANN].map(([id, buyer]) => [String(id as number), String(buyer as string).length]),
    );
  }
});

void test('whether a topic takes a row does not hang on the rows before it', () => {
  const row = [1, 'x'.repeat(2000), null] as const;
  const long = logged(inserts(ORDERS, [row]), { timeMicros: TIME_MICROS + 3_600_000_000_000 });
  const before = Array.from({ length: 100 }, () => logged(inserts(ORDERS, [[1, 'y', null]]), { timeMicros: 1 }));
  const taken = (parts: readonly RowsPart[], maxRecordBytes: number) => {
    const envelope = new DataWorksJson(envelopeOptions({ clock: { now: () => 1.8e12 }, onDirty: () => {} }));
    return encoded(envelope, parts, { ...TOPIC, maxRecordBytes }).filter(({ value }) => value?.includes('xxx')).length;
  };
  const limits = Array.from({ length: 200 }, (_, index) => 2500 + index);
  const alone = limits.map((limit) => taken([long], limit));
  assert.deepEqual(
    limits.map((limit) => taken([...before, long], limit)),
    alone,
  );
  assert.deepEqual([...new Set(alone)], [0, 1]);
});

void test('a table’s records are taken out of batches that it shares', () => {
  const other = scriptedTable('shop', 'other', { id: { kind: 'integer', bytes: 8, unsigned: false } }, ['id']);
  const commit = new CommitRecords(0);
  const envelope = new DataWorksJson(envelopeOptions({ partitioner: 'fixed' }));
  for (let i = 0; i < 300; i += 1) {
    envelope.rows(logged(inserts(i % 3 === 0 ? other : ORDERS, [i % 3 === 0 ? [i] : [i, 'x', null]])), TOPIC, commit);
  }
  assert.equal(commit.rows, 300);
  const before = commit.bytes;
  commit.exclude(ORDERS.id);
  assert.equal(commit.rows, 100);
  assert.deepEqual(
    recordsOf(commit).map(({ key }) => key),
    Array.from({ length: 100 }, (_, i) => String(3 * i)),
  );
  assert.ok(commit.bytes < before / 2);
  envelope.rows(logged(inserts(ORDERS, [[7, 'y', null]])), TOPIC, commit);
  assert.equal(recordsOf(commit).at(-1)?.key, '7');
  commit.exclude(other.id);
  commit.exclude(ORDERS.id);
  assert.deepEqual([commit.rows, commit.bytes, recordsOf(commit)], [0, 0, []]);
});
