/** `YYYY-MM-DD`, of parts as they are: a month may be 00. */
export function dateText(year: number, month: number, day: number): string {
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `[-]HH:MM:SS` of microseconds, and `fraction` digits behind a point: what servers print. */
export function timeText(micros: number, fraction: number): string {
  const size = Math.abs(micros);
  const seconds = Math.floor(size / 1e6);
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return `${micros < 0 ? '-' : ''}${clock}${fractionText(size % 1e6, fraction)}`;
}

/** A point in time in UTC, such as `2024-02-29T01:02:03.45Z`. */
export function instantText(seconds: number, micros: number, fraction: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fractionText(micros, fraction)}Z`;
}

function fractionText(micros: number, fraction: number): string {
  return fraction === 0 ? '' : `.${pad(micros, 6).slice(0, fraction)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
