/** Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
export const DAYS_TO_2000 = 10957;
export const SECONDS_TO_2000 = DAYS_TO_2000 * 86400;

/** Writes seconds * 1,000,000 + micros as a big-endian int64; exact where a double would round. */
export function writeMicros(view: DataView, at: number, seconds: number, micros: number): void {
  const upper = Math.floor(seconds / 65536);
  const millionths = upper * 1_000_000;
  const middle = Math.floor(millionths / 65536);
  const low = (millionths - middle * 65536) * 65536 + (seconds - upper * 65536) * 1_000_000 + micros;
  const carry = Math.floor(low / 4294967296);
  view.setInt32(at, middle + carry);
  view.setUint32(at + 4, low - carry * 4294967296);
}
