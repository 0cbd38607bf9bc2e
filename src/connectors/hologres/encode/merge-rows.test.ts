import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { deletes, inserts, scriptedTable, updates } from '../../../../test/support/scripted-rows.ts';
import type { RowsPart } from '../../../pipeline/batch.ts';
import { Target } from '../target.ts';
import { Arena } from './arena.ts';
import { mergeRows } from './merge-rows.ts';
import { RowEncoder } from './row-encoder.ts';
import { ENTRY, keyEndOf, TableBuffer } from './table-buffer.ts';
import { DIRTY } from './wire.ts';

const TABLE = scriptedTable(
  'd',
  't',
  { v: { kind: 'text' }, k: { kind: 'text' }, n: { kind: 'integer', bytes: 2, unsigned: false } },
  ['k'],
);
const TARGET = new Target({ table: TABLE, target: { schema: 's', table: 't' } }, [
  { name: 'v', baseType: 'text', sql: 'text', nullable: true },
  { name: 'k', baseType: 'text', sql: 'text', nullable: false },
  { name: 'n', baseType: 'int2', sql: 'int2', nullable: false },
]);

function merged(parts: readonly RowsPart[]) {
  const arena = new Arena(1024);
  const buffer = new TableBuffer();
  const encoder = new RowEncoder(arena);
  const dirty: number[] = [];
  for (const part of parts)
    mergeRows(part, TARGET.layout(TABLE), { arena, buffer, encoder }, (reason) => dirty.push(reason));
  return { changes: changesOf(arena, buffer), dirty, used: arena.used };
}

/** What is left per key: the row's value, or null for a delete. */
function changesOf(arena: Arena, buffer: TableBuffer): Record<string, readonly [state: number, value: string | null]> {
  const found: Record<string, readonly [number, string | null]> = {};
  for (let entry = 0; entry < buffer.count; entry++) {
    const start = buffer.offsets[entry]!;
    const keyEnd = keyEndOf(arena.view, start, 1);
    const text = (from: number) =>
      Buffer.from(arena.bytes.subarray(from + 4, from + 4 + arena.view.getInt32(from))).toString();
    found[text(start + 2)] = [buffer.states[entry]!, buffer.states[entry] === ENTRY.DELETE ? null : text(keyEnd)];
  }
  return found;
}

void describe('merging by key', () => {
  void it('keeps the last change, and what it knows of the target', () => {
    const { changes } = merged([
      inserts(TABLE, [
        ['a', 'new', 1],
        ['b', 'gone', 1],
        ['c', 'moves', 1],
      ]),
      updates(TABLE, [
        [
          ['a', 'new', 1],
          ['A', 'new', 1],
        ],
        [
          ['x', 'old', 1],
          ['y', 'old', 1],
        ],
      ]),
      deletes(TABLE, [
        ['b', 'gone', 1],
        ['d', 'back', 1],
      ]),
      inserts(TABLE, [['D', 'back', 1]]),
      updates(TABLE, [
        [
          ['c', 'moves', 1],
          ['c', 'moved', 1],
        ],
      ]),
    ]);
    assert.deepEqual(changes, {
      new: [ENTRY.FRESH, 'A'],
      gone: [ENTRY.DELETE, null],
      moves: [ENTRY.DELETE, null],
      old: [ENTRY.UPSERT, 'y'],
      back: [ENTRY.UPSERT, 'D'],
      moved: [ENTRY.UPSERT, 'c'],
    });
  });

  void it('takes no more room for updates of the same length', () => {
    const one = merged([inserts(TABLE, [['aa', 'k', 1]])]);
    const many = merged([
      inserts(TABLE, [['aa', 'k', 1]]),
      updates(
        TABLE,
        Array.from(
          { length: 50 },
          () =>
            [
              ['aa', 'k', 1],
              ['bb', 'k', 2],
            ] as const,
        ),
      ),
    ]);
    assert.equal(many.used, one.used);
  });

  void it('leaves nothing of a dirty row behind, and says why', () => {
    const { changes, dirty } = merged([
      inserts(TABLE, [
        ['a', 'range', 40000],
        ['b', 'null', null],
        ['c', 'nul\0', 1],
        ['d', null, 1],
        ['ok', 'fine', 1],
      ]),
    ]);
    assert.deepEqual(changes, { fine: [ENTRY.FRESH, 'ok'] });
    assert.deepEqual(dirty, [DIRTY.RANGE, DIRTY.NULL, DIRTY.NUL_IN_KEY, DIRTY.NULL]);
  });

  void it('equals a map, whatever the changes', () => {
    const change = fc.record({
      key: fc.constantFrom('', 'a', 'aa', 'b', 'ab', 'ba', '🐟'),
      to: fc.constantFrom('', 'a', 'aa', 'c'),
      value: fc.string(),
      op: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (list) => {
        const model = new Map<string, string | null>();
        const parts = list.map(({ key, to, value, op }) => {
          const clean = value.replaceAll('\0', '');
          if (op !== 0) model.set(key, null);
          if (op !== 1) model.set(op === 0 ? key : to, clean);
          if (op === 0) return inserts(TABLE, [[value, key, 1]]);
          return op === 1
            ? deletes(TABLE, [[value, key, 1]])
            : updates(TABLE, [
                [
                  ['', key, 1],
                  [value, to, 1],
                ],
              ]);
        });
        const values = Object.entries(merged(parts).changes).map(([key, [, value]]) => [key, value] as const);
        assert.deepEqual(new Map(values), model);
      }),
    );
  });
});
