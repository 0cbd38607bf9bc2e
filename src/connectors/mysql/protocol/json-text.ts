/** Grows as needed, and gives back what a huge document took. */
const USUAL_BYTES = 64 * 1024;
const HEX = Buffer.from('0123456789abcdef');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SHORT: Readonly<Record<number, number>> = {
  8: 0x62,
  9: 0x74,
  10: 0x6e,
  12: 0x66,
  13: 0x72,
  34: QUOTE,
  92: BACKSLASH,
};

/** JSON text under construction, in memory that is used again and again. */
export class JsonText {
  bytes: Buffer = Buffer.allocUnsafeSlow(USUAL_BYTES);
  length = 0;

  reset(): void {
    this.length = 0;
    if (this.bytes.length > 16 * USUAL_BYTES) this.bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  }

  byte(byte: number): void {
    this.#need(1);
    this.bytes[this.length++] = byte;
  }

  ascii(text: string): void {
    this.#need(text.length);
    for (let index = 0; index < text.length; index += 1) this.bytes[this.length++] = text.charCodeAt(index);
  }

  raw(from: Uint8Array, start: number, end: number): void {
    this.#need(end - start);
    this.bytes.set(from.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** A text in quotes, escaped as the server escapes: control characters, quotes and backslashes, nothing else. */
  quoted(from: Uint8Array, start: number, end: number): void {
    this.#need(6 * (end - start) + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let read = start; read < end; read += 1) {
      const byte = from[read]!;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        bytes[at++] = byte;
        continue;
      }
      bytes[at++] = BACKSLASH;
      const short = SHORT[byte];
      if (short !== undefined) bytes[at++] = short;
      else {
        bytes[at++] = 0x75;
        bytes[at++] = 0x30;
        bytes[at++] = 0x30;
        bytes[at++] = HEX[byte >> 4]!;
        bytes[at++] = HEX[byte & 15]!;
      }
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  #need(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
