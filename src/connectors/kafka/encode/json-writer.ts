import { ByteWriter } from './byte-writer.ts';

const QUOTE = 0x22;
const NULL = 0x6c6c756e; // "null", little-endian
/** What any value but texts and bytes takes at most: a decimal of 65 digits, quotes, and what is written over. */
const VALUE_BYTES = 96;

/**
 * What stands before each value of an image: `"name":`, behind a comma but for the first. Four bytes at a time; what is written
 * too much is written over by the value.
 */
export class Names {
  readonly words: Int32Array;
  readonly lengths: Uint16Array;
  /** Words per name. */
  readonly stride: number;
  /** Bytes of an image without its texts, at most. */
  readonly imageBytes: number;

  constructor(names: readonly string[]) {
    const texts = names.map((name, index) => Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`));
    this.stride = Math.max(2, ...texts.map(({ length }) => (length + 3) >> 2));
    const padded = new Uint8Array(texts.length * this.stride * 4);
    for (const [index, text] of texts.entries()) padded.set(text, index * this.stride * 4);
    const view = new DataView(padded.buffer);
    this.words = Int32Array.from({ length: padded.length >> 2 }, (_, index) => view.getInt32(index * 4, true));
    this.lengths = Uint16Array.from(texts, ({ length }) => length);
    this.imageBytes = texts.reduce((sum, { length }) => sum + length + VALUE_BYTES, VALUE_BYTES);
  }
}

/** Writes the values of one image after another as the members of JSON objects; what each looks like is the envelope's business. */
export class JsonWriter extends ByteWriter {
  /** The next value's, among those of the image. */
  protected column = 0;
  #words: Int32Array = new Int32Array(0);
  #lengths: Uint16Array = new Uint16Array(0);
  #stride = 2;

  /** The values that follow have these names. */
  protected startImage(names: Names): void {
    this.slack = names.imageBytes;
    this.reserve(0);
    this.#words = names.words;
    this.#lengths = names.lengths;
    this.#stride = names.stride;
    this.column = 0;
  }

  /** Writes the next value's name; the value goes to `at`. */
  protected open(): void {
    const column = this.column++;
    const { view, at } = this;
    const words = this.#words;
    const length = this.#lengths[column]!;
    let word = column * this.#stride;
    view.setInt32(at, words[word]!, true);
    view.setInt32(at + 4, words[word + 1]!, true);
    for (let written = 8; written < length; written += 4) {
      view.setInt32(at + written, words[word + 2]!, true);
      word += 1;
    }
    this.at = at + length;
  }

  protected quote(): void {
    this.out[this.at++] = QUOTE;
  }

  protected nullText(): void {
    this.view.setInt32(this.at, NULL, true);
    this.at += 4;
  }

  protected string(buffer: Uint8Array, start: number, end: number): void {
    this.quote();
    this.escaped(buffer, start, end);
    this.quote();
  }

  protected base64String(buffer: Uint8Array, start: number, end: number): void {
    this.quote();
    this.base64(buffer, start, end);
    this.quote();
  }
}
