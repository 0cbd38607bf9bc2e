import type { SendBuffer } from '../protocol/send-buffer.ts';
import { beginArray, endValue } from '../protocol/statement.ts';
import type { Arena } from './arena.ts';
import type { LayoutColumn } from './row-layout.ts';
import type { TableBuffer } from './table-buffer.ts';

/** Rows of one layout, as they stand in the arena. */
export interface EncodedRows {
  readonly arena: Arena;
  readonly buffer: TableBuffer;
  /** Indexes of entries. */
  readonly entries: Int32Array;
}

const COPY_MESSAGE_BYTES = 32 * 1024;
/** "PGCOPY\n\xff\r\n\0", int32 flags, int32 length of the header's extension. */
const COPY_HEADER = Uint8Array.from([
  0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** Feeds rows to COPY … FROM STDIN (FORMAT binary): each call writes one CopyData message; false after the last. */
export function copyRows({ arena, buffer, entries }: EncodedRows): (out: SendBuffer) => boolean {
  let next = 0;
  return (out) => {
    const start = out.begin('d');
    if (next === 0) out.copy(COPY_HEADER, 0, COPY_HEADER.length);
    const { offsets, lengths } = buffer;
    while (next < entries.length && out.since(start) < COPY_MESSAGE_BYTES) {
      const from = offsets[entries[next]!]!;
      let end = from + lengths[entries[next]!]!;
      next++;
      // Rows that follow each other in the arena go together.
      while (next < entries.length && offsets[entries[next]!] === end && end - from < COPY_MESSAGE_BYTES) {
        end += lengths[entries[next++]!]!;
      }
      out.copy(arena.bytes, from, end);
    }
    const more = next < entries.length;
    if (!more) out.int16(-1);
    out.end(start);
    return more;
  };
}

/** Writes rows as parameters, one binary array per column. */
export function writeColumnArrays(out: SendBuffer, rows: EncodedRows, columns: readonly LayoutColumn[]): void {
  const { arena, buffer, entries } = rows;
  const { bytes, view } = arena;
  const count = entries.length;
  const cursors = new Int32Array(count);
  for (let row = 0; row < count; row++) cursors[row] = buffer.offsets[entries[row]!]! + 2;
  for (const { oid } of columns) {
    const start = beginArray(out, oid, count);
    for (let row = 0; row < count; row++) {
      const at = cursors[row]!;
      const length = view.getInt32(at);
      const end = at + 4 + (length > 0 ? length : 0);
      out.copy(bytes, at, end);
      cursors[row] = end;
    }
    endValue(out, start);
  }
}

/** Writes rows as parameters, one per field, row after row. */
export function writeFields(out: SendBuffer, { arena, buffer, entries }: EncodedRows, fields: number): void {
  const { bytes, view } = arena;
  for (let row = 0; row < entries.length; row++) {
    const start = buffer.offsets[entries[row]!]! + 2;
    let end = start;
    for (let field = 0; field < fields; field++) {
      const length = view.getInt32(end);
      end += 4 + (length > 0 ? length : 0);
    }
    out.copy(bytes, start, end);
  }
}
