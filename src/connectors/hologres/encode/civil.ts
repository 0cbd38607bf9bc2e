const DAYS_IN_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
export const DAYS_TO_2000 = 10957;
export const SECONDS_TO_2000 = DAYS_TO_2000 * 86400;

/** Whether the parts are a real day of the years 1 to 9999. */
export function isRealDate(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day <= DAYS_IN_MONTH[month]!) return true;
  return month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days since 1970-01-01 of a proleptic Gregorian date. Source: Howard Hinnant, "chrono-compatible low-level date algorithms". */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = (((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) | 0) + day - 1;
  const dayOfEra = yearOfEra * 365 + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

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
