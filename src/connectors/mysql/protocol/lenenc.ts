/** A reading position in a buffer, for the parts of the protocol that are read once per event, not per row. */
export class Cursor {
  readonly buffer: Buffer;
  at: number;
  readonly end: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    const value = this.buffer.readUInt8(this.at);
    this.at += 1;
    return value;
  }

  uint(bytes: number): number {
    const value = this.buffer.readUIntLE(this.at, bytes);
    this.at += bytes;
    return value;
  }

  /** A length-encoded integer. */
  length(): number {
    const first = this.byte();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint(2);
    if (first === 0xfd) return this.uint(3);
    const value = Number(this.buffer.readBigUInt64LE(this.at));
    this.at += 8;
    return value;
  }

  text(bytes: number): string {
    const value = this.buffer.toString('utf8', this.at, this.at + bytes);
    this.at += bytes;
    return value;
  }

  bytes(count: number): Buffer {
    const value = Buffer.from(this.buffer.subarray(this.at, this.at + count));
    this.at += count;
    return value;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }
}
