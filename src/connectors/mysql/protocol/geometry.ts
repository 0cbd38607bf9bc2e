import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { CorruptEvent } from './corrupt-event.ts';

/** [ SRID 4, little-endian ][ well-known binary ], in the log and as SELECT gives it. Errors: CorruptEvent. */
export function visitGeometry(buffer: Buffer, start: number, end: number, visitor: ValueVisitor): void {
  if (end - start < 4) throw new CorruptEvent('a geometry ends early');
  visitor.geometry(buffer.readUInt32LE(start), buffer, start + 4, end);
}
