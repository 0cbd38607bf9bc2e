import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type EncodedRecord,
  envelopeOptions,
  logged,
  recordsOf,
  TOPIC,
} from '../../../../test/support/encoded-records.ts';
import { deletes, inserts, scriptedTable, updates } from '../../../../test/support/scripted-rows.ts';
import type { RowsPart } from '../../../pipeline/batch.ts';
import { CommitRecords } from './commit-records.ts';
import { openEnvelope } from './envelopes.ts';
import { DEFAULT_OPTIONS } from '../options.ts';

const TABLE = scriptedTable(
  'shop',
  'orders',
  { v: { kind: 'integer', bytes: 4, unsigned: false }, id: { kind: 'integer', bytes: 4, unsigned: false } },
  ['id'],
);
const TO = { ...TOPIC, partitions: 8 };
type State = Map<number, number>;

/** What readers of each envelope do with a record: the key is there with a value, or gone; null says nothing. */
const READERS: Readonly<Record<string, (record: EncodedRecord) => readonly [id: number, v: number | null] | null>> = {
  json: ({ value }) => {
    const { before, after } = (
      JSON.parse(value ?? '') as { payload: Record<'before' | 'after', { dataColumn: Row } | null> }
    ).payload;
    return after === null ? [before?.dataColumn.id ?? -1, null] : [after.dataColumn.id, after.dataColumn.v];
  },
  debezium: ({ key, value }) => {
    if (value === null) return [(JSON.parse(key ?? '') as Row).id, null];
    const { before, after } = JSON.parse(value) as Record<'before' | 'after', Row | null>;
    return after === null ? [before?.id ?? -1, null] : [after.id, after.v];
  },
  canal: ({ value }) => {
    const { type, data } = JSON.parse(value ?? '') as { type: string; data: readonly { id: string; v: string }[] };
    const [row] = data;
    return row === undefined ? null : [Number(row.id), type === 'DELETE' ? null : Number(row.v)];
  },
};

interface Row {
  readonly id: number;
  readonly v: number;
}

interface Change {
  readonly kind: 'put' | 'move' | 'delete';
  readonly id: number;
  readonly to: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('put', 'move', 'delete'),
  id: fc.nat(5),
  to: fc.nat(5),
});

/** The part that a source's log has for a change of what is there, if it is one. */
function partOf({ kind, id, to }: Change, state: State, v: number): RowsPart | null {
  const old = state.get(id);
  if (kind === 'put') {
    state.set(id, v);
    return old === undefined
      ? inserts(TABLE, [[v, id]])
      : updates(TABLE, [
          [
            [old, id],
            [v, id],
          ],
        ]);
  }
  if (old === undefined || (kind === 'move' && state.has(to))) return null;
  state.delete(id);
  if (kind === 'delete') return deletes(TABLE, [[old, id]]);
  state.set(to, v);
  return updates(TABLE, [
    [
      [old, id],
      [v, to],
    ],
  ]);
}

for (const writeMode of ['json', 'debezium', 'canal'] as const) {
  void test(`${writeMode}: whoever reads the partitions, in whatever turn, ends with the source's rows, also when keys change`, () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 60 }), fc.infiniteStream(fc.nat(7)), (changes, turns) => {
        const state: State = new Map();
        const envelope = openEnvelope({ ...DEFAULT_OPTIONS, writeMode }, envelopeOptions());
        const commit = new CommitRecords(0);
        for (const [index, one] of changes.entries()) {
          const part = partOf(one, state, index);
          if (part !== null) envelope.rows(logged(part), TO, commit);
        }
        const partitions: EncodedRecord[][] = Array.from({ length: TO.partitions }, () => []);
        for (const record of recordsOf(commit)) partitions[record.partition]?.push(record);
        const found: State = new Map();
        while (partitions.some(({ length }) => length > 0)) {
          const record = partitions[turns.next().value]?.shift();
          if (record === undefined) continue;
          const [id = -1, v = null] = READERS[writeMode]?.(record) ?? [];
          if (v === null) found.delete(id);
          else found.set(id, v);
        }
        assert.deepEqual(found, state);
      }),
      { numRuns: 300 },
    );
  });
}
