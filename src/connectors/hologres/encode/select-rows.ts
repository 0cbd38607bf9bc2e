import type { TableBuffer } from './table-buffer.ts';

/** Which of a table's changes: `states` is a set of ENTRY as bits, `from` and `to` bound the entries. */
export interface Selection {
  readonly states: number;
  readonly version: number;
  readonly from: number;
  readonly to: number;
}

/** Indexes of entries, in the order in which their keys were first seen. */
export function selectRows(buffer: TableBuffer, { states, version, from, to }: Selection): Int32Array {
  const { states: entryStates, versions } = buffer;
  let count = 0;
  for (let entry = from; entry < to; entry++) {
    if (((states >> entryStates[entry]!) & 1) === 1 && versions[entry] === version) count++;
  }
  const found = indexes(count);
  let at = 0;
  for (let entry = from; at < count; entry++) {
    if (((states >> entryStates[entry]!) & 1) === 1 && versions[entry] === version) found[at++] = entry;
  }
  return found;
}

/** Short selections stand in one piece of memory, behind one another: there are several of each table in a commit. */
const SLAB = 16_384;
let slab = new Int32Array(0);
let used = 0;

function indexes(count: number): Int32Array {
  if (count > SLAB / 8) return new Int32Array(count);
  if (used + count > slab.length) {
    slab = new Int32Array(SLAB);
    used = 0;
  }
  used += count;
  return slab.subarray(used - count, used);
}
