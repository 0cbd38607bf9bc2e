import { deflateSync, zstdCompressSync } from 'node:zlib';
import { TRANSACTION_PAYLOAD } from '../../src/connectors/mysql/protocol/event.ts';
import { eventOf } from './log-bytes.ts';

type Random = () => number;

/** What is wrong with compressed bytes. `swells`: a few kilobytes that become a quarter of a gigabyte. */
export type Damage = 'none' | 'changed' | 'cut' | 'claims another size' | 'swells';

export const DAMAGES: readonly Damage[] = ['changed', 'cut', 'claims another size', 'swells'];

const SWOLLEN_BYTES = 2 ** 28;
let swollen: { readonly zstd: Buffer; readonly zlib: Buffer } | null = null;

/**
 * MySQL's TRANSACTION_PAYLOAD: whole events without sums, compressed together.
 *
 *   { field 1, length 1, value (a length-encoded number) } … 0, then the bytes; fields: 1 size, 2 algorithm (0 zstd), 3 size before
 */
export function transactionPayload(
  random: Random,
  payloads: readonly Buffer[],
  damage: Damage,
  position: number,
): Buffer {
  const plain = Buffer.concat(payloads.map(withoutSum));
  const bytes = damaged(random, zstdCompressSync(plain), damage, 'zstd');
  const before = damage === 'claims another size' ? Math.floor(random() * 2 ** 31) : plain.length;
  const body = [field(2, 0), field(3, before), field(1, bytes.length), Buffer.from([0]), bytes];
  return eventOf(TRANSACTION_PAYLOAD, Buffer.concat(body), position);
}

/** MariaDB's compressed rows: [ 0x80 | algorithm << 4 | n 1 ][ size before n, big-endian ][ zlib ], behind the header of the rows. */
export function compressedRows(random: Random, images: Buffer, damage: Damage): Buffer {
  const before = damage === 'claims another size' ? Math.floor(random() * 2 ** 31) : images.length;
  const size = Buffer.alloc(4);
  size.writeUInt32BE(before);
  return Buffer.concat([Buffer.from([0x84]), size, damaged(random, deflateSync(images), damage, 'zlib')]);
}

function damaged(random: Random, bytes: Buffer, damage: Damage, kind: 'zstd' | 'zlib'): Buffer {
  switch (damage) {
    case 'none':
    case 'claims another size':
      return bytes;
    case 'changed': {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return bytes;
    }
    case 'cut':
      return bytes.subarray(0, Math.floor(random() * bytes.length));
    case 'swells': {
      const zeros = Buffer.alloc(swollen === null ? SWOLLEN_BYTES : 0);
      swollen ??= { zstd: zstdCompressSync(zeros), zlib: deflateSync(zeros) };
      return swollen[kind];
    }
  }
}

/** An event as it lies in a payload: no status byte, no sum, and its length without that. */
function withoutSum(payload: Buffer): Buffer {
  const event = Buffer.from(payload.subarray(1, payload.length - 4));
  event.writeUInt32LE(event.length, 9);
  return event;
}

function field(kind: number, value: number): Buffer {
  const number = Buffer.alloc(9);
  number[0] = 0xfe;
  number.writeBigUInt64LE(BigInt(value), 1);
  return Buffer.concat([Buffer.from([kind, number.length]), number]);
}
