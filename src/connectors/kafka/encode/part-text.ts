import { ByteWriter } from './byte-writer.ts';
import { Memory, type MemoryPool } from './memory.ts';

/** A piece of a part's text. */
export class TextPiece {
  start = 0;
  end = 0;
  /** Its bytes, once they were asked for. */
  bytes: Uint8Array = NONE;
}

const NONE = new Uint8Array(0);

/** What is written without asking for room: numbers, a sequenceId. */
const NUMBERS_BYTES_MAX = 64;

/** What all records of a part have in common, written once for it and then copied. */
export class PartText extends ByteWriter {
  readonly #memory: Memory;

  constructor(pool: MemoryPool) {
    const memory = new Memory(pool, 1);
    super(memory);
    this.#memory = memory;
    this.slack = NUMBERS_BYTES_MAX;
  }

  /** The texts that follow are of the next part. */
  restart(): void {
    this.use(this.#memory, 0);
  }

  begin(piece: TextPiece): void {
    piece.start = this.at;
  }

  end(piece: TextPiece): void {
    piece.end = this.at;
    piece.bytes = NONE;
  }

  /** Valid until more is written. */
  bytesOf(piece: TextPiece): Uint8Array {
    if (piece.bytes.buffer !== this.out.buffer) piece.bytes = this.out.subarray(piece.start, piece.end);
    return piece.bytes;
  }

  text(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.put(bytes);
  }

  /** ASCII. */
  characters(text: string): void {
    this.reserve(text.length);
    this.ascii(text);
  }

  number(value: number): void {
    this.reserve(0);
    this.integerText(value);
  }
}
