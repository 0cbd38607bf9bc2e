import type { LogPlace } from '../../../pipeline/batch.ts';
import { writePadded } from './byte-writer.ts';

const ROW_DIGITS = 10;

/**
 * The sequenceId of a part's row `row`: epoch (3 digits), file (7), position (12), row (10). Sorts as the log does; a replay
 * within an epoch gives the same.
 */
export function sequenceId({ epoch, fileNumber, position, within }: LogPlace, row: number): string {
  return [
    String(epoch).padStart(3, '0'),
    String(fileNumber).padStart(7, '0'),
    String(position).padStart(12, '0'),
    String(within + row).padStart(ROW_DIGITS, '0'),
  ].join('');
}

/** Makes the sequenceId that ends at `end`, of another row of the same part, that of row `row`. */
export function setSequenceRow(view: DataView, end: number, { within }: LogPlace, row: number): void {
  writePadded(view, end - ROW_DIGITS, within + row, ROW_DIGITS);
}
