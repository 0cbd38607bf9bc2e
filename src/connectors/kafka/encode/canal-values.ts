import type { Column } from '../../../pipeline/table.ts';
import { type JsonLayout, JsonValues, layJson } from './json-values.ts';
import type { Memory } from './memory.ts';
import type { TimeZone } from '../../../lib/time-zone.ts';

const SPACE = 0x20;

/** How the values of one table version are written. */
export interface CanalLayout extends JsonLayout {
  /** 1 for YEAR. */
  readonly years: Uint8Array;
}

export function layCanal(columns: readonly Column[]): CanalLayout {
  return { ...layJson(columns), years: Uint8Array.from(columns, ({ type }) => (type.kind === 'year' ? 1 : 0)) };
}

/** Values as Canal has them: all of them texts, of bytes the characters U+0000 to U+00FF; ENUM and SET by their labels. */
export class CanalValues extends JsonValues<CanalLayout> {
  readonly #zone: TimeZone;
  #years: Uint8Array = new Uint8Array(0);
  /** Where each member of the image begins, and behind the last one where the image ends. */
  #members = new Int32Array(64);
  #count = 0;

  constructor(memory: Memory, zone: TimeZone) {
    super(memory);
    this.#zone = zone;
  }

  override start(layout: CanalLayout): void {
    super.start(layout);
    this.#years = layout.years;
    this.#count = layout.fractions.length;
    if (this.#members.length <= this.#count) this.#members = new Int32Array(2 * this.#count);
  }

  /** The image is complete. */
  finish(): void {
    this.#members[this.#count] = this.at;
  }

  /** Writes the members of an image that are others than those of the image that was written here last. */
  writeChanged(before: CanalValues): void {
    const old = before.out;
    let isFirst = true;
    for (let column = 0; column < this.#count; column += 1) {
      const oldStart = before.#members[column]!;
      const oldEnd = before.#members[column + 1]!;
      const start = this.#members[column]!;
      if (isSame(before.view, oldStart, oldEnd, this.view, start, this.#members[column + 1]!)) continue;
      // Every member but that of the first column is behind a comma.
      this.copyLong(old, isFirst && column > 0 ? oldStart + 1 : oldStart, oldEnd);
      isFirst = false;
    }
  }

  override integer(value: number): void {
    const isYear = this.#years[this.column] === 1;
    this.open();
    this.quote();
    if (isYear && value === 0) this.ascii('0000');
    else this.integerText(value);
    this.quote();
  }

  override bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.open();
    this.quote();
    this.bigIntegerText(high, low);
    this.quote();
  }

  override decimal(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.quote();
    this.copyShort(buffer, start, end);
    this.quote();
  }

  override float(value: number): void {
    this.open();
    this.quote();
    this.floatText(value);
    this.quote();
  }

  override double(value: number): void {
    this.open();
    this.quote();
    this.doubleText(value);
    this.quote();
  }

  override bytes(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.quote();
    this.latin1(buffer, start, end);
    this.quote();
  }

  override date(year: number, month: number, day: number): void {
    this.open();
    this.quote();
    this.dateText(year, month, day);
    this.quote();
  }

  override time(micros: number): void {
    const digits = this.fractions[this.column]!;
    this.open();
    this.quote();
    this.timeText(micros, digits);
    this.quote();
  }

  override datetime(
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
    micros: number,
  ): void {
    const digits = this.fractions[this.column]!;
    this.open();
    this.quote();
    this.dateText(year, month, day);
    this.out[this.at++] = SPACE;
    this.dayTimeText(hour, minute, second, micros, digits);
    this.quote();
  }

  override instant(seconds: number, micros: number): void {
    if (seconds === 0 && micros === 0) {
      this.datetime(0, 0, 0, 0, 0, 0, 0);
      return;
    }
    const digits = this.fractions[this.column]!;
    this.open();
    this.quote();
    this.civilText(this.#zone.toCivil(seconds), micros, SPACE, digits);
    this.quote();
  }

  override bits(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.quote();
    this.bitsText(buffer, start, end);
    this.quote();
  }

  protected override open(): void {
    this.#members[this.column] = this.at;
    super.open();
  }
}

function isSame(a: DataView, aStart: number, aEnd: number, b: DataView, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart;
  if (bEnd - bStart !== length) return false;
  let at = 0;
  for (; at + 4 <= length; at += 4) if (a.getInt32(aStart + at) !== b.getInt32(bStart + at)) return false;
  for (; at < length; at += 1) if (a.getUint8(aStart + at) !== b.getUint8(bStart + at)) return false;
  return true;
}
