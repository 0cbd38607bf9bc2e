import type { RowImage, RowsPart } from '../../../pipeline/batch.ts';
import type { Arena } from './arena.ts';
import type { RowEncoder } from './row-encoder.ts';
import type { RowLayout } from './row-layout.ts';
import { ENTRY, equalBytes, keyEndOf, type TableBuffer } from './table-buffer.ts';
import { DIRTY } from './wire.ts';

/**
 * Encodes the rows of one part into the arena and merges them by key. An update whose key changed is a delete of the old
 * key and an upsert of the new one. A dirty row leaves nothing behind.
 * Shape: calls `onDirty` with one of DIRTY per row that cannot be written.
 */
export function mergeRows(
  part: RowsPart,
  layout: RowLayout,
  { arena, buffer, encoder }: { arena: Arena; buffer: TableBuffer; encoder: RowEncoder },
  onDirty: (reason: number) => void,
): void {
  const { op, count } = part;
  const { keyCount } = layout;
  const version = buffer.versionOf(layout);
  encoder.start(arena, layout.columns, layout.wires);
  for (let row = 0; row < count; row++) {
    const start = arena.used;
    encoder.at = start;
    if (op === 'delete') {
      encodeKey(part, row, layout, encoder);
      const end = encoder.at;
      if (encoder.dirty === DIRTY.NONE) buffer.put(arena, start, end, end, ENTRY.DELETE, version);
      else onDirty(encoder.dirty);
      continue;
    }
    encodeRow(part, row, 'after', layout, encoder);
    const dirty = encoder.dirty;
    const end = encoder.at;
    if (dirty !== DIRTY.NONE) {
      onDirty(dirty);
      continue;
    }
    const keyEnd = keyEndOf(arena.view, start, keyCount);
    if (op !== 'update') {
      buffer.put(arena, start, end, keyEnd, ENTRY.FRESH, version);
      continue;
    }
    encodeKey(part, row, layout, encoder);
    const beforeEnd = encoder.at;
    const keyLength = keyEnd - start - 2;
    const sameKey = beforeEnd - end - 2 === keyLength && equalBytes(arena.bytes, start + 2, end + 2, keyLength);
    if (!sameKey && encoder.dirty === DIRTY.NONE) {
      // The key goes to the end of the arena, where a new entry has to stand: it changes places with the row.
      const key = new Uint8Array(arena.bytes.subarray(end, beforeEnd));
      const before = start + key.length;
      arena.bytes.copyWithin(before, start, end);
      arena.bytes.set(key, start);
      buffer.put(arena, start, before, before, ENTRY.DELETE, version);
      const at = arena.used;
      if (at !== before) arena.bytes.copyWithin(at, before, beforeEnd);
      buffer.put(arena, at, at + end - start, at + keyEnd - start, ENTRY.UPSERT, version);
      continue;
    }
    buffer.put(arena, start, end, keyEnd, ENTRY.UPSERT, version);
  }
}

function encodeRow(part: RowsPart, row: number, image: RowImage, layout: RowLayout, encoder: RowEncoder): void {
  const { visits } = layout;
  encoder.row(layout.columns.length);
  part.visit(row, image, visits[0]!, encoder);
  if (visits.length > 1) part.visit(row, image, visits[1]!, encoder);
}

function encodeKey(part: RowsPart, row: number, layout: RowLayout, encoder: RowEncoder): void {
  encoder.row(layout.keyCount);
  part.visit(row, 'before', layout.keyVisit, encoder);
}
