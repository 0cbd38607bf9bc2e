import type { Decode } from './decode.ts';

/** Bytes of MariaDB's fractions before 10.1, by their digits. */
const TIME_BYTES = [3, 4, 4, 5, 5, 5, 6];
const DATETIME_BYTES = [8, 6, 6, 7, 7, 7, 8];
const TIMESTAMP_BYTES = [4, 5, 5, 6, 6, 7, 7];
/** What MariaDB adds to a TIME so that none is negative: 839 hours, seconds. */
const TIME_ZERO = 839 * 3600;

/**
 * TIME, DATETIME and TIMESTAMP of tables that were made before MySQL 5.6, or by MariaDB with mysql56_temporal_format off.
 * The log tells no fraction of them, so that it comes from the schema.
 *
 * Without fraction: [ hhmmss, signed, 3 ], [ yyyymmddhhmmss 8 ], [ seconds 4 ], little-endian.
 * With one (MariaDB only): big-endian counts of the last digit's unit, of the bytes above.
 * Source: MySQL Server source, Field_time, Field_datetime, Field_timestamp; MariaDB Server, Field_*_hires.
 */
export function decodeOldTime(fraction: number): Decode {
  if (fraction > 0) return decodeHiresTime(fraction);
  return (b, at, v) => {
    const packed = b.readIntLE(at, 3);
    const digits = Math.abs(packed);
    const seconds = Math.floor(digits / 10_000) * 3600 + (Math.floor(digits / 100) % 100) * 60 + (digits % 100);
    v.time(packed < 0 ? -seconds * 1e6 : seconds * 1e6);
    return at + 3;
  };
}

export function decodeOldDatetime(fraction: number): Decode {
  if (fraction > 0) return decodeHiresDatetime(fraction);
  return (b, at, v) => {
    const packed = Number(b.readBigUInt64LE(at));
    const date = Math.floor(packed / 1e6);
    const clock = packed % 1e6;
    v.datetime(
      Math.floor(date / 10_000),
      Math.floor(date / 100) % 100,
      date % 100,
      Math.floor(clock / 10_000),
      Math.floor(clock / 100) % 100,
      clock % 100,
      0,
    );
    return at + 8;
  };
}

export function decodeOldTimestamp(fraction: number): Decode {
  const bytes = TIMESTAMP_BYTES[fraction]!;
  if (fraction === 0) return (b, at, v) => (v.instant(b.readUInt32LE(at), 0), at + bytes);
  const unit = unitOf(fraction);
  return (b, at, v) => {
    v.instant(b.readUInt32BE(at), b.readUIntBE(at + 4, bytes - 4) * unit);
    return at + bytes;
  };
}

export function oldTemporalBytes(code: number, fraction: number): number {
  return (code === 11 ? TIME_BYTES : code === 12 ? DATETIME_BYTES : TIMESTAMP_BYTES)[fraction]!;
}

function decodeHiresTime(fraction: number): Decode {
  const bytes = TIME_BYTES[fraction]!;
  const unit = unitOf(fraction);
  const zero = (TIME_ZERO * 1e6) / unit;
  return (b, at, v) => {
    v.time((b.readUIntBE(at, bytes) - zero) * unit);
    return at + bytes;
  };
}

function decodeHiresDatetime(fraction: number): Decode {
  const bytes = DATETIME_BYTES[fraction]!;
  const perSecond = 10 ** fraction;
  return (b, at, v) => {
    let packed = 0n;
    for (let index = 0; index < bytes; index += 1) packed = (packed << 8n) | BigInt(b[at + index]!);
    const micros = Number(packed % BigInt(perSecond)) * unitOf(fraction);
    const seconds = Number(packed / BigInt(perSecond));
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    const months = Math.floor(days / 32);
    v.datetime(Math.floor(months / 13), months % 13, days % 32, hours % 24, minutes % 60, seconds % 60, micros);
    return at + bytes;
  };
}

/** Microseconds of the last digit. */
function unitOf(fraction: number): number {
  return 10 ** (6 - fraction);
}
