import assert from 'node:assert/strict';
import test from 'node:test';
import { readRows } from '../../../../test/support/maxcompute/read-rows.ts';
import { parseColumnType } from '../protocol/column-type.ts';
import { RowStream, WIRE_TYPE } from '../protocol/row-stream.ts';
import { RowList } from './row-list.ts';

const STRING = [parseColumnType('string')];

function add(list: RowList, memory: RowStream, text: string): void {
  const row = new RowStream();
  row.field(1, WIRE_TYPE.BYTES);
  row.ascii(text);
  const start = memory.at;
  const crc = memory.keepCopy(row);
  list.add(start, memory.at, crc);
}

void test('the blocks of a list have all of its rows in their order, none in two, and one that is too long alone', () => {
  const list = new RowList();
  for (let turn = 0; turn < 2; turn++) {
    const memory = new RowStream();
    const texts = Array.from({ length: 500 }, (_, index) => 'x'.repeat(index % 7 === 0 ? 3000 : index % 40) + index);
    for (const text of texts) add(list, memory, text);
    const bounds = list.blockBounds(1000);
    const blocks = bounds.slice(1).map((to, block) => {
      const stream = new RowStream();
      for (let entry = bounds[block] ?? 0; entry < to; entry++) list.writeRow(entry, memory.bytes, stream);
      return readRows(stream.finish(), STRING).map(([text]) => text as string);
    });
    assert.deepEqual(blocks.flat(), texts);
    assert.equal(
      blocks.every((rows) => rows.length > 0 && rows.slice(0, -1).join('').length < 1000),
      true,
    );
    list.reset();
    assert.deepEqual(list.blockBounds(1000), [0, 0]);
  }
});
