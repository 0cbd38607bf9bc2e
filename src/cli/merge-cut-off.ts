import { daysFromCivil, isRealDate } from '../lib/civil.ts';
import type { TimeZone } from '../lib/time-zone.ts';

const DAY_SECONDS = 86_400;

/**
 * The time before which changes are merged, in milliseconds since the epoch: the end of a day, a minute, or without either the
 * last midnight, all by the zone's clock. Errors: Error that says what is wrong; also for a time that is still to come.
 */
export function readCutOff(
  { day, until }: { readonly day?: string; readonly until?: string },
  zone: TimeZone,
  now: number,
): number {
  if (day !== undefined && until !== undefined) throw new Error('give --day or --until, not both');
  const cutOff = 1000 * zone.toInstant(civilOf({ day, until }) ?? lastMidnight(zone, now));
  if (cutOff > now) throw new Error(`${new Date(cutOff).toISOString()} is still to come`);
  return cutOff;
}

function lastMidnight(zone: TimeZone, now: number): number {
  return Math.floor(zone.toCivil(Math.floor(now / 1000)) / DAY_SECONDS) * DAY_SECONDS;
}

function civilOf({ day, until }: { day: string | undefined; until: string | undefined }): number | null {
  if (day !== undefined) {
    const [, year = 0, month = 0, date = 0] = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(day)?.map(Number) ?? [];
    if (!isRealDate(year, month, date)) throw new Error(`--day: ${JSON.stringify(day)} is no day such as 20260131`);
    return (daysFromCivil(year, month, date) + 1) * DAY_SECONDS;
  }
  if (until === undefined) return null;
  const [, year = 0, month = 0, date = 0, hour = 24, minute = 60] =
    /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::00)?$/.exec(until)?.map(Number) ?? [];
  if (!isRealDate(year, month, date) || hour > 23 || minute > 59)
    throw new Error(`--until: ${JSON.stringify(until)} is no minute such as 2026-01-31T12:00`);
  return daysFromCivil(year, month, date) * DAY_SECONDS + hour * 3600 + minute * 60;
}
