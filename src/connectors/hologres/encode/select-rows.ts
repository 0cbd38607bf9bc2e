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
  const found = new Int32Array(to - from);
  let count = 0;
  for (let entry = from; entry < to; entry++) {
    if (((states >> entryStates[entry]!) & 1) === 1 && versions[entry] === version) found[count++] = entry;
  }
  return found.subarray(0, count);
}
