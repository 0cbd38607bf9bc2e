/**
 * Receives the values of one row image: one call per column of the set visited, in column order. One method per kind of
 * value, so that sources and sinks stay strangers. The visitor counts the calls itself to know the column.
 *
 * Texts and bytes come as (buffer, start, end) and are valid only during the call. Text is UTF-8.
 * Hot path: implementations allocate nothing per call.
 */
export interface ValueVisitor {
  null(): void;
  /** An integer whose magnitude is at most 2^53 - 1. */
  integer(value: number): void;
  /** Any other 64-bit integer, as its two halves: high is signed or unsigned as `unsigned` says, low is unsigned. */
  bigInteger(high: number, low: number, unsigned: boolean): void;
  /** ASCII: optional minus, digits, optionally a point and exactly the column's scale of digits. */
  decimal(buffer: Uint8Array, start: number, end: number): void;
  /** A 32-bit float widened; its own text is the shortest that gives the same float32. */
  float(value: number): void;
  double(value: number): void;
  text(buffer: Uint8Array, start: number, end: number): void;
  bytes(buffer: Uint8Array, start: number, end: number): void;
  /** Parts as stored: any of them may be 0 (a zero or partial date), and a day may exceed its month. */
  date(year: number, month: number, day: number): void;
  /** Signed microseconds, from -838:59:59.999999 to 838:59:59.999999. */
  time(micros: number): void;
  /** Parts as stored, like `date`, and microseconds of the second. */
  datetime(
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
    micros: number,
  ): void;
  /** Seconds since 1970-01-01T00:00:00Z and microseconds of the second. The zero date is (0, 0), as in the log. */
  instant(seconds: number, micros: number): void;
  /** Big-endian bits, right-aligned in (end - start) bytes. */
  bits(buffer: Uint8Array, start: number, end: number): void;
  /** An enum or set value: its text, and the ordinal (enum, from 1; 0 is the error value '') or the bitmask (set; beyond 2^53 a bigint). */
  label(buffer: Uint8Array, start: number, end: number, ordinal: number | bigint): void;
  /** JSON text, UTF-8. */
  json(buffer: Uint8Array, start: number, end: number): void;
  /** Well-known binary. */
  geometry(srid: number, buffer: Uint8Array, start: number, end: number): void;
  /** Little-endian float32 values. */
  vector(buffer: Uint8Array, start: number, end: number): void;
}
