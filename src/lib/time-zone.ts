import { daysFromCivil } from './civil.ts';

const HOUR = 3600;
const DAY = 86_400;
const CACHED_HOURS = 10_000;
/** No clock of any zone was changed before. */
const FIRST_CHANGE = -3_600_000_000;

/** Whether there is such a zone: a name of the IANA's, or an offset such as `+08:00`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The clock of one zone. Times are seconds since 1970-01-01T00:00:00: civil ones as the zone's clock shows them, instants in UTC.
 * Offsets are asked of the platform once an hour of either, and kept.
 */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #ofCivil = new OffsetCache((civil) => civil - this.#instantOf(civil));
  readonly #ofInstant = new OffsetCache((instant) => this.#offsetAt(instant));

  constructor(name: string) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const { timeZone } = format.resolvedOptions();
    this.#format = timeZone === 'UTC' || timeZone === '+00:00' ? null : format;
  }

  /** What the clock shows twice is the first of both; what it leaves out is as long after the gap's begin, as Java has it. */
  toInstant(civil: number): number {
    return this.#format === null ? civil : civil - this.#ofCivil.at(civil);
  }

  toCivil(instant: number): number {
    return this.#format === null ? instant : instant + this.#ofInstant.at(instant);
  }

  #instantOf(civil: number): number {
    const before = this.#offsetAt(civil - DAY);
    const after = this.#offsetAt(civil + DAY);
    if (before === after || this.#offsetAt(civil - before) === before) return civil - before;
    return this.#offsetAt(civil - after) === after ? civil - after : civil - before;
  }

  #offsetAt(instant: number): number {
    const asked = Math.max(instant, FIRST_CHANGE);
    const fields: Record<string, number> = {};
    for (const { type, value } of this.#format?.formatToParts(asked * 1000) ?? []) fields[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = fields;
    return daysFromCivil(year, month, day) * DAY + hour * HOUR + minute * 60 + second - asked;
  }
}

/** Offsets by the hour: of an hour within which it changes, each is asked anew. */
class OffsetCache {
  readonly #ask: (time: number) => number;
  readonly #hours = new Map<number, number>();
  #lastHour = Number.NaN;
  #lastOffset = 0;

  constructor(ask: (time: number) => number) {
    this.#ask = ask;
  }

  at(time: number): number {
    const hour = Math.floor(time / HOUR);
    if (hour === this.#lastHour) return this.#lastOffset;
    const known = this.#hours.get(hour) ?? this.#learn(hour);
    if (Number.isNaN(known)) return this.#ask(time);
    this.#lastHour = hour;
    this.#lastOffset = known;
    return known;
  }

  #learn(hour: number): number {
    const first = this.#ask(hour * HOUR);
    const offset = first === this.#ask(hour * HOUR + HOUR - 1) ? first : Number.NaN;
    if (this.#hours.size >= CACHED_HOURS) this.#hours.clear();
    this.#hours.set(hour, offset);
    return offset;
  }
}
