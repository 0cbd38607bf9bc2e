import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Merge, mergeStatement } from './merge-statement.ts';
import { parseColumnType } from './protocol/column-type.ts';

const DAY_MS = 86_400_000;
/** The day that is merged, and its end. */
const TODAY = Date.UTC(2024, 0, 2);
const CUT_OFF = TODAY + DAY_MS;

const column = (name: string, type: string, more = {}) => ({
  name,
  type: parseColumnType(type),
  inBase: true,
  inLog: true,
  ...more,
});
const MERGE: Merge = {
  base: { project: 'p', table: 'orders_base' },
  log: { project: 'p', table: 'orders' },
  columns: [column('id', 'bigint'), column('v', 'string')],
  key: ['id'],
  into: [['pt', '20240102']],
  from: { partition: [['pt', '20240101']], untilMs: TODAY },
  untilMs: CUT_OFF,
  logPartition: null,
};

void it('the statement overwrites a partition of the base with what was last said of each key', () => {
  const valueAt = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  assert.equal(
    mergeStatement({ ...MERGE, logPartition: { column: 'dt', valueAt } }),
    `INSERT OVERWRITE TABLE \`p\`.\`orders_base\` PARTITION (\`pt\`='20240102')
SELECT \`id\`, \`v\`
FROM (
  SELECT \`id\`, \`v\`, \`_after_image_\`, ROW_NUMBER() OVER (PARTITION BY \`id\` ORDER BY \`_sequence_id_\` DESC) AS \`_rank_\`
  FROM (
    SELECT /*+ MAPJOIN(\`emptied\`) */ \`id\`, \`v\`, '' AS \`_sequence_id_\`, 'Y' AS \`_after_image_\`
    FROM \`p\`.\`orders_base\`
    JOIN (
      SELECT COUNT(*) AS \`_times_\` FROM \`p\`.\`orders\` WHERE \`_operation_type_\` = 'T' AND \`dt\` >= '2024-01-02' AND \`dt\` <= '2024-01-02' AND \`_execute_time_\` >= 1704153600000 AND \`_execute_time_\` < 1704240000000
    ) \`emptied\` ON \`_times_\` = 0
    WHERE \`pt\` = '20240101'
    UNION ALL
    SELECT \`id\`, \`v\`, \`_sequence_id_\`, \`_after_image_\`
    FROM (
      SELECT /*+ MAPJOIN(\`voided\`) */ \`id\`, \`v\`, \`_sequence_id_\`, \`_after_image_\`, \`_execute_time_\`,
        ROW_NUMBER() OVER (PARTITION BY \`id\` ORDER BY \`_sequence_id_\` DESC, \`_after_image_\` DESC) AS \`_rank_\`
      FROM \`p\`.\`orders\`
      JOIN (
        SELECT COALESCE(MAX(\`_sequence_id_\`), '') AS \`_void_until_\` FROM \`p\`.\`orders\` WHERE \`_operation_type_\` = 'T' AND \`dt\` >= '2024-01-01' AND \`dt\` <= '2024-01-02' AND \`_execute_time_\` >= 1704067200000 AND \`_execute_time_\` < 1704240000000
      ) \`voided\` ON \`_sequence_id_\` >= \`_void_until_\`
      WHERE \`dt\` >= '2024-01-01' AND \`dt\` <= '2024-01-02' AND \`_execute_time_\` >= 1704067200000 AND \`_execute_time_\` < 1704240000000
    ) \`changes\`
    WHERE \`_rank_\` = 1 AND \`_execute_time_\` >= 1704070800000
  ) \`rows\`
) \`ranked\`
WHERE \`_rank_\` = 1 AND \`_after_image_\` = 'Y';`,
  );
});

void it('a table without a key is refused: nobody can say which of its rows are one', () => {
  assert.throws(() => mergeStatement({ ...MERGE, key: [] }), /without a primary key cannot be merged/);
});

/** A row of the log: id, operation, before, after, key, value, when. */
type LogRow = readonly [
  place: number,
  operation: string,
  before: string,
  after: string,
  id: number | null,
  v: string | null,
  ms?: number | undefined,
];

const inserted = (place: number, id: number, v: string, ms?: number): LogRow => [place, 'I', 'N', 'Y', id, v, ms];
const deleted = (place: number, id: number, v: string, ms?: number): LogRow => [place, 'D', 'Y', 'N', id, v, ms];
const updated = (place: number, from: readonly [number, string], to: readonly [number, string], ms?: number) =>
  [
    [place, 'U', 'Y', 'N', ...from, ms],
    [place, 'U', 'N', 'Y', ...to, ms],
  ] as const satisfies readonly LogRow[];
const voided = (place: number, ms?: number): LogRow => [place, 'T', 'N', 'N', null, null, ms];

/** Runs the statement's query on rows of a base and of a log; the order of the rows does not count. */
function merged(
  base: readonly (readonly [number, string | null])[],
  log: readonly LogRow[],
  merge: Merge = MERGE,
): string[] {
  const database = new DatabaseSync(':memory:');
  try {
    database.exec("ATTACH ':memory:' AS p; CREATE TABLE p.orders_base (id INTEGER, v TEXT, pt TEXT)");
    database.exec(
      'CREATE TABLE p.orders (_sequence_id_ TEXT, _operation_type_ TEXT, _execute_time_ INTEGER, _before_image_ TEXT, _after_image_ TEXT, id INTEGER, v TEXT, pt TEXT)',
    );
    for (const [id, v] of base) database.prepare('INSERT INTO p.orders_base VALUES (?, ?, ?)').run(id, v, '20240101');
    for (const [place, operation, before, after, id, v, ms = TODAY] of log) {
      const pt = new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
      database
        .prepare('INSERT INTO p.orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(String(place).padStart(32, '0'), operation, ms, before, after, id, v, pt);
    }
    const rows = database.prepare(mergeStatement(merge).replace(/^INSERT .*\n/, '')).all();
    return rows.map((row) => Object.values(row).join()).toSorted();
  } finally {
    database.close();
  }
}

void describe('H11: of one key the merge makes', () => {
  const cases: readonly (readonly [
    log: string,
    result: string,
    base: readonly (readonly [number, string])[],
    rows: readonly LogRow[],
    expected: readonly string[],
  ])[] = [
    ['an insert', 'a row', [], [inserted(1, 1, 'a')], ['1,a']],
    ['insert and update', 'the new values', [], [inserted(1, 1, 'a'), ...updated(2, [1, 'a'], [1, 'b'])], ['1,b']],
    ['insert and delete', 'nothing', [], [inserted(1, 1, 'a'), deleted(2, 1, 'a')], []],
    [
      'delete and insert',
      'the row that was inserted again',
      [[1, 'a']],
      [deleted(9, 1, 'a'), inserted(10, 1, 'b')],
      ['1,b'],
    ],
    ['a change of the key', 'the new key alone', [[1, 'a']], updated(1, [1, 'a'], [2, 'a']), ['2,a']],
    [
      'a change of the key and its reversal',
      'the first key again',
      [[1, 'a']],
      [...updated(1, [1, 'a'], [2, 'a']), ...updated(2, [2, 'a'], [1, 'a'])],
      ['1,a'],
    ],
    [
      'changes that were written twice',
      'what they make once',
      [[1, 'a']],
      [...updated(1, [1, 'a'], [1, 'b']), deleted(2, 1, 'b'), ...updated(1, [1, 'a'], [1, 'b']), deleted(2, 1, 'b')],
      [],
    ],
    ['no change', 'what the base has', [[1, 'a']], [inserted(1, 2, 'b')], ['1,a', '2,b']],
    [
      'an update alone',
      'its new values, though both halves have one id',
      [[1, 'a']],
      updated(1, [1, 'a'], [1, 'b']),
      ['1,b'],
    ],
    [
      'changes whose ids have many digits',
      'the later one, as ids are padded and compare as texts',
      [],
      [inserted(9, 1, 'a'), ...updated(10, [1, 'a'], [1, 'b']), ...updated(101, [1, 'b'], [1, 'c'])],
      ['1,c'],
    ],
    [
      'changes that stand in another order than they were made',
      'the one with the greatest id',
      [],
      [...updated(3, [1, 'b'], [1, 'c']), inserted(1, 1, 'a'), ...updated(2, [1, 'a'], [1, 'b'])],
      ['1,c'],
    ],
  ];
  for (const [log, result, base, rows, expected] of cases)
    void it(`${result} of ${log}`, () => assert.deepEqual(merged(base, rows), expected));
});

void it('H12: a change at exactly the cut-off is of the next day, one a millisecond before is not', () => {
  const log = [
    inserted(1, 1, 'a', CUT_OFF - 1),
    ...updated(2, [1, 'a'], [1, 'b'], CUT_OFF),
    inserted(3, 2, 'c', CUT_OFF),
  ];
  assert.deepEqual(merged([], log), ['1,a']);
});

void it('H12: a change with an older time than one before it is not outdone by that one on the next day', () => {
  // The log's order is 1, 2; the second began before midnight and waited.
  const log = [inserted(1, 1, 'first', TODAY + 1000), deleted(2, 1, 'first', TODAY - 1000)];
  assert.deepEqual(merged([], log), []);
});

void it('where rows before are void, so is the base; what comes behind counts', () => {
  const log = [inserted(1, 2, 'b'), voided(2), inserted(3, 3, 'c'), ...updated(4, [3, 'c'], [3, 'd'])];
  assert.deepEqual(merged([[1, 'a']], log), ['3,d']);
  assert.deepEqual(merged([[1, 'a']], [voided(5)]), []);
  assert.deepEqual(merged([[1, 'a']], [voided(5, CUT_OFF)]), ['1,a'], 'of the next day');
});

void it('rows that were loaded where rows before became void are there: they may have the same place', () => {
  assert.deepEqual(merged([[1, 'a']], [deleted(1, 2, 'x'), voided(5), inserted(5, 1, 'again')]), ['1,again']);
});

void it('what made rows void before the base was made does not void the base again', () => {
  // The row came behind it in the log, with a time of the day before that nobody looks at any more.
  const log = [voided(1, TODAY - DAY_MS + 5), inserted(2, 1, 'a', TODAY - DAY_MS - 5), inserted(3, 2, 'b')];
  assert.deepEqual(merged([[1, 'a']], log), ['1,a', '2,b']);
});

void it('a column that one side lacks is null for its rows', () => {
  const added = { ...MERGE, columns: [column('id', 'bigint'), column('v', 'string', { inBase: false })] };
  assert.deepEqual(
    merged(
      [
        [1, 'never seen'],
        [2, 'x'],
      ],
      [...updated(1, [2, 'x'], [2, 'new'])],
      added,
    ),
    ['1,', '2,new'],
  );
  const gone = { ...MERGE, columns: [column('id', 'bigint'), column('v', 'decimal(12,2)', { inLog: false })] };
  assert.deepEqual(merged([[1, 'old']], [inserted(1, 2, 'x')], gone), ['1,old', '2,']);
});

void it('without a base all of the log is the table', () => {
  const first = { ...MERGE, from: null };
  const longAgo = TODAY - 400 * DAY_MS;
  assert.deepEqual(merged([[9, 'not of it']], [inserted(1, 1, 'a', longAgo), inserted(2, 2, 'b')], first), [
    '1,a',
    '2,b',
  ]);
});

type Change =
  | { readonly kind: 'put'; readonly id: number; readonly v: string }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'move'; readonly id: number; readonly to: number }
  | { readonly kind: 'truncate' };

/** What a table of two columns went through, one change after the other. */
const histories: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Change>[]>(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('put' as const), id: fc.nat(4), v: fc.string({ maxLength: 2 }) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: fc.nat(4) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('move' as const), id: fc.nat(4), to: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'truncate' as const }) },
  ),
  { maxLength: 30 },
);

const nats = (max: number) => fc.array(fc.nat(max), { maxLength: 5 });

/** The table at the end of each day, and what the log got on it. Late changes have a time of the day before theirs. */
function days(history: readonly Change[], { cuts, twice, late }: Record<'cuts' | 'twice' | 'late', readonly number[]>) {
  const table = new Map<number, string>();
  const found: { readonly rows: LogRow[]; readonly end: string[] }[] = [];
  let rows: LogRow[] = [];
  const close = () => {
    found.push({ rows, end: Array.from(table, ([id, v]) => `${id},${v}`).toSorted() });
    rows = [];
  };
  for (const [index, change] of history.entries()) {
    if (cuts.includes(index)) close();
    // What makes rows void is never late: the log gives it a time behind those before it.
    const isLate = late.includes(index) && change.kind !== 'truncate';
    const ms = TODAY + found.length * DAY_MS - (isLate ? 1 : 0);
    const more = apply(table, change, 5 * index + 1, ms);
    rows.push(...more, ...(twice.includes(index) ? more : []));
  }
  close();
  return found;
}

/** Makes a change; gives what the log says of it. */
function apply(table: Map<number, string>, change: Change, place: number, ms: number): readonly LogRow[] {
  if (change.kind === 'truncate') {
    table.clear();
    return [voided(place, ms)];
  }
  const { id } = change;
  const old = table.get(id);
  if (change.kind === 'put') {
    table.set(id, change.v);
    return old === undefined ? [inserted(place, id, change.v, ms)] : updated(place, [id, old], [id, change.v], ms);
  }
  if (old === undefined || (change.kind === 'move' && table.has(change.to))) return [];
  table.delete(id);
  if (change.kind === 'delete') return [deleted(place, id, old, ms)];
  table.set(change.to, old);
  return updated(place, [id, old], [change.to, old], ms);
}

void it('H11, H12: random histories, cut into days, some written twice, some late, end as the table does', () => {
  fc.assert(
    fc.property(histories, nats(30), nats(30), nats(30), (history, cuts, twice, late) => {
      let base: [number, string][] = [];
      let log: LogRow[] = [];
      const all = days(history, { cuts, twice, late });
      for (const [day, { rows, end }] of all.entries()) {
        log = [...log, ...rows];
        const untilMs = TODAY + (day + 1) * DAY_MS;
        const from = {
          partition: [['pt', '20240101']] as const,
          untilMs: untilMs - DAY_MS,
        };
        const merge = { ...MERGE, from: day === 0 ? null : from, untilMs };
        const result = merged(base, log.toReversed(), merge);
        // Of a day that has late changes to come, nobody knows them yet.
        if (late.length === 0 || day === all.length - 1) assert.deepEqual(result, end);
        assert.deepEqual(merged(base, log, merge), result, 'again');
        base = result.map((row) => [Number(row.slice(0, 1)), row.slice(2)]);
      }
    }),
    { numRuns: 500 },
  );
});
