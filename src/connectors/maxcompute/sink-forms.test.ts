import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  openMaxComputeSink,
  rowsOf,
  startDouble,
  tableOf,
  targetOf,
} from '../../../test/support/maxcompute-under-test.ts';
import { DoubleTable } from '../../../test/support/maxcompute/tables.ts';
import { MemoryJournals } from '../../../test/support/memory-journals.ts';
import { batchOf, deletes, empties, inserts, updates } from '../../../test/support/scripted-rows.ts';
import { checkpoint, newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import { parseColumnType } from './protocol/column-type.ts';
import { META_COLUMNS, metaType } from './wanted-table.ts';

const COLUMNS = { id: { kind: 'integer', bytes: 4, unsigned: false }, text: { kind: 'text' } } as const;

void test('an existing table with the columns of a log gets all that happens, one without them the new values', async () => {
  const double = await startDouble();
  const [plain, log] = [newTable(COLUMNS, ['id']), newTable(COLUMNS, ['id'])];
  const own = [
    { name: 'id', type: parseColumnType('int') },
    { name: 'text', type: parseColumnType('string') },
  ];
  const meta = META_COLUMNS.map((name) => ({ name, type: metaType(name) }));
  for (const [table, columns] of [
    [plain, own],
    [log, [...meta, ...own]],
  ] as const) {
    const { table: name } = targetOf(table.id);
    double.add(`projects/shop/tables/${name}`, new DoubleTable(name, { columns: [...columns] }));
  }
  const sink = openMaxComputeSink(double, {
    owner: newOwner(),
    policies: POLICIES,
    journals: new MemoryJournals(),
    options: { tableType: 'append' },
  });
  try {
    await sink.recover();
    assert.deepEqual(await sink.prepare([plain, log].map((table) => ({ table, target: targetOf(table.id) }))), []);
    for (const table of [plain, log])
      await sink.write(
        batchOf(
          empties(table),
          inserts(table, [[1, 'a']]),
          updates(table, [
            [
              [1, 'a'],
              [1, 'b'],
            ],
          ]),
          deletes(table, [[1, 'b']]),
        ),
      );
    await sink.commit(checkpoint(1));
    const names = ['_operation_type_', '_before_image_', '_after_image_', 'id', 'text'];
    assert.deepEqual(rowsOf(tableOf(double, targetOf(log.id)), names), [
      ['D', 'Y', 'N', '1', 'b'],
      ['I', 'N', 'Y', '1', 'a'],
      ['T', 'N', 'N', null, null],
      ['U', 'N', 'Y', '1', 'b'],
      ['U', 'Y', 'N', '1', 'a'],
    ]);
    assert.deepEqual(rowsOf(tableOf(double, targetOf(plain.id)), ['id', 'text']), [
      ['1', 'a'],
      ['1', 'b'],
    ]);
  } finally {
    await sink.close();
    await double.stop();
  }
});
