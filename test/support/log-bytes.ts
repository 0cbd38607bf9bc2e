import { crc32 } from 'node:zlib';

const MOST = 0xffffff;

/** Frames payloads as packets; one of 2^24-1 bytes or more goes on in the next. */
export function framed(payloads: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [];
  let sequence = 0;
  for (const payload of payloads) {
    let at = 0;
    let length: number;
    do {
      length = Math.min(MOST, payload.length - at);
      const header = Buffer.alloc(4);
      header.writeUIntLE(length, 0, 3);
      header[3] = sequence++ & 0xff;
      pieces.push(header, payload.subarray(at, at + length));
      at += length;
    } while (length === MOST);
  }
  return Buffer.concat(pieces);
}

/** Gives a payload (status byte, event, sum) the length and the sum that it should have. */
export function repaired(payload: Buffer, { length }: { length: boolean }): Buffer {
  if (payload.length < 24) return payload;
  if (length) payload.writeUInt32LE(payload.length - 1, 10);
  payload.writeUInt32LE(crc32(payload.subarray(1, payload.length - 4)), payload.length - 4);
  return payload;
}

/** One event as a packet's payload. */
export function eventOf(type: number, body: Buffer, position: number): Buffer {
  const payload = Buffer.alloc(1 + 19 + body.length + 4);
  payload.writeUInt32LE(1_700_000_000, 1);
  payload[5] = type;
  payload.writeUInt32LE(1, 6);
  payload.writeUInt32LE(position, 14);
  body.copy(payload, 20);
  return repaired(payload, { length: true });
}
