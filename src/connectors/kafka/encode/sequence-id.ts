import type { LogPlace } from '../../../pipeline/batch.ts';
import { type ByteWriter, writePadded } from './byte-writer.ts';

const DIGITS = { epoch: 3, file: 7, position: 12, row: 10 } as const;

/**
 * Writes the sequenceId of a part's row `row`: epoch (3 digits), file (7), position (12), row (10). Sorts as the log does; a
 * replay within an epoch gives the same.
 */
export function writeSequenceId(out: ByteWriter, { epoch, fileNumber, position, within }: LogPlace, row: number): void {
  const { view } = out;
  let at = writePadded(view, out.at, epoch, DIGITS.epoch);
  at = writePadded(view, at, fileNumber, DIGITS.file);
  at = writeLong(view, at, position, DIGITS.position);
  out.at = writeLong(view, at, within + row, DIGITS.row);
}

/** Makes the sequenceId that ends at `end`, of another row of the same part, that of row `row`. */
export function setSequenceRow(view: DataView, end: number, { within }: LogPlace, row: number): void {
  writeLong(view, end - DIGITS.row, within + row, DIGITS.row);
}

/** A whole number that may be beyond 2^30, as positions are, and rows of packed transactions of gigabytes. */
function writeLong(view: DataView, at: number, value: number, width: number): number {
  const millions = Math.floor(value / 1e6);
  return writePadded(view, writePadded(view, at, millions, width - 6), value - millions * 1e6, 6);
}
