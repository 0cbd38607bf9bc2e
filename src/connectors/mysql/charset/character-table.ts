import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { isAscii } from './ascii.ts';
import { UNKNOWN, writeUtf8 } from './utf8-writer.ts';

/** Per character set and number of bytes, the code points by sequence; made by scripts/charset-tables.ts from a server. */
type Tables = Readonly<Record<string, Readonly<Record<string, string>>>>;

let tables: Tables | undefined;

/** A character set as a table of what a server makes of each sequence of bytes; 0 where that is no character. */
export class CharacterTable {
  readonly #one: Uint16Array;
  readonly #two: Uint16Array | null;
  /** Behind 0x8f. */
  readonly #three: Uint16Array | null;
  /** From 0x81308130 on, by number: the last byte counts to 10, the one before to 126, the one before that to 10. */
  readonly #four: Uint16Array | null;
  readonly #isAsciiBased: boolean;

  private constructor(planes: Readonly<Record<string, string>>) {
    const plane = (name: string) => (planes[name] === undefined ? null : unpacked(planes[name]));
    this.#one = plane('1') ?? new Uint16Array(256);
    this.#two = plane('2');
    this.#three = plane('3');
    this.#four = plane('4');
    this.#isAsciiBased = this.#one.subarray(0, 128).every((point, byte) => point === byte);
  }

  static of(charset: string): CharacterTable | undefined {
    tables ??= JSON.parse(readFileSync(join(import.meta.dirname, 'tables.json'), 'utf8')) as Tables;
    const planes = Object.hasOwn(tables, charset) ? tables[charset] : undefined;
    return planes === undefined ? undefined : new CharacterTable(planes);
  }

  readonly decode = (bytes: Buffer): Buffer => {
    if (this.#isAsciiBased && isAscii(bytes)) return bytes;
    const out = Buffer.allocUnsafe(bytes.length * 3);
    let to = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = this.#lengthAt(bytes, at);
      to = writeUtf8(out, to, length === 0 ? UNKNOWN : this.#pointAt(bytes, at, length));
      at += length || 1;
    }
    return out.subarray(0, to);
  };

  /** Bytes of the character at `at`; 0 when there is none. */
  #lengthAt(bytes: Buffer, at: number): number {
    const first = bytes[at] ?? 0;
    if (first === 0 || this.#one[first] !== 0) return 1;
    const second = bytes[at + 1];
    if (second === undefined) return 0;
    if (first === 0x8f && this.#three !== null) return at + 2 < bytes.length ? 3 : 0;
    if (this.#two !== null && this.#two[(first << 8) | second] !== 0) return 2;
    return this.#four !== null && second >= 0x30 && second < 0x3a && at + 3 < bytes.length ? 4 : 0;
  }

  #pointAt(bytes: Buffer, at: number, length: number): number {
    switch (length) {
      case 1:
        return this.#one[bytes[at] ?? 0] ?? 0;
      case 2:
        return this.#two?.[bytes.readUInt16BE(at)] || UNKNOWN;
      case 3:
        return this.#three?.[bytes.readUInt16BE(at + 1)] || UNKNOWN;
      default:
        return this.#pointOfFour(bytes, at);
    }
  }

  /** Beyond the basic plane they follow one another from 0x90308130 on. */
  #pointOfFour(bytes: Buffer, at: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
    const within = ((b - 0x30) * 126 + (c - 0x81)) * 10 + d - 0x30;
    const point = a >= 0x90 ? 0x10000 + (a - 0x90) * 12_600 + within : this.#four?.[(a - 0x81) * 12_600 + within];
    return point === undefined || point === 0 || point > 0x10ffff ? UNKNOWN : point;
  }
}

function unpacked(text: string): Uint16Array {
  const bytes = inflateSync(Buffer.from(text, 'base64'));
  const points = new Uint16Array(bytes.length >> 1);
  let point = 0;
  for (let index = 0; index < points.length; index += 1) {
    point = (point + bytes.readUInt16LE(2 * index)) & 0xffff;
    points[index] = point;
  }
  return points;
}
