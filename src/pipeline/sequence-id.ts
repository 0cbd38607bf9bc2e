import { writePadded } from '../lib/digits.ts';
import type { LogPlace } from './batch.ts';

const DIGITS = { epoch: 3, file: 7, position: 12, row: 10 } as const;
/** How long a sequenceId is, in digits, which are as many bytes. */
export const SEQUENCE_ID_BYTES: number = DIGITS.epoch + DIGITS.file + DIGITS.position + DIGITS.row;

/**
 * Writes the sequenceId of a part's row `row`: epoch (3 digits), file (7), position (12), row (10). Sorts as the log does; a
 * replay within an epoch gives the same. Returns where it ends.
 */
export function writeSequenceId(
  view: DataView,
  start: number,
  { epoch, fileNumber, position, within }: LogPlace,
  row: number,
): number {
  let at = writePadded(view, start, epoch, DIGITS.epoch);
  at = writePadded(view, at, fileNumber, DIGITS.file);
  at = writeLong(view, at, position, DIGITS.position);
  return writeLong(view, at, within + row, DIGITS.row);
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
