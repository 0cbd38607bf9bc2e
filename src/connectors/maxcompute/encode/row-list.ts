import type { RowStream } from '../protocol/row-stream.ts';

const FIRST_ENTRIES = 16;
const ENTRY_BYTES = 4 * 3;
/** What ends a row, at the most. */
const ROW_END_BYTES = 10;

/** The rows that are appended to one partition within one commit, in their order: where each stands in the memory of rows. */
export class RowList {
  count = 0;
  #starts = new Int32Array(FIRST_ENTRIES);
  #lengths = new Int32Array(FIRST_ENTRIES);
  #crcs = new Int32Array(FIRST_ENTRIES);

  /** What the index takes. */
  get bytes(): number {
    return this.#starts.length * ENTRY_BYTES;
  }

  /** `crc` is that of the row's values. */
  add(start: number, end: number, crc: number): void {
    if (this.count === this.#starts.length) {
      const { length } = this.#starts;
      this.#starts = grown(this.#starts, length * 2);
      this.#lengths = grown(this.#lengths, length * 2);
      this.#crcs = grown(this.#crcs, length * 2);
    }
    const entry = this.count++;
    this.#starts[entry] = start;
    this.#lengths[entry] = end - start;
    this.#crcs[entry] = crc;
  }

  /** Forgets all rows; keeps its memory for as many again. */
  reset(): void {
    this.count = 0;
  }

  /** Where blocks of about so many bytes begin, and behind the last one where the rows end. */
  blockBounds(bytesMax: number): number[] {
    const bounds = [0];
    let bytes = 0;
    for (let entry = 0; entry < this.count; entry++) {
      if (bytes >= bytesMax) {
        bounds.push(entry);
        bytes = 0;
      }
      bytes += this.#lengths[entry]! + ROW_END_BYTES;
    }
    bounds.push(this.count);
    return bounds;
  }

  writeRow(entry: number, memory: Uint8Array, into: RowStream): void {
    const start = this.#starts[entry]!;
    into.resumeRow(memory, start, start + this.#lengths[entry]!, this.#crcs[entry]!);
    into.endRow();
  }
}

function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(array);
  return longer;
}
