import { daysFromCivil, isRealDate } from '../../../lib/civil.ts';
import { shortestFloat32 } from '../../../lib/shortest-float.ts';
import type { Column } from '../../../pipeline/table.ts';
import { type JsonLayout, JsonValues, layJson } from './json-values.ts';

const DAY = 86_400;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** How the values of some columns are written. */
export interface DebeziumLayout extends JsonLayout {
  /** 1 for columns that may be null. */
  readonly nullables: Uint8Array;
}

export function layDebezium(columns: readonly Column[]): DebeziumLayout {
  return { ...layJson(columns), nullables: Uint8Array.from(columns, ({ nullable }) => (nullable ? 1 : 0)) };
}

/**
 * Values as Debezium's connector has them with `decimal.handling.mode` string, so that no reader rounds them, and otherwise by
 * default: dates as days, times as microseconds, DATETIME as milliseconds or, with more than three digits, microseconds of UTC,
 * TIMESTAMP as ISO text. What is no date is null, or the epoch where the column may not be null.
 */
export class DebeziumValues extends JsonValues<DebeziumLayout> {
  #nullables: Uint8Array = new Uint8Array(0);
  readonly #bits = new Uint8Array(8);

  override start(layout: DebeziumLayout): void {
    super.start(layout);
    this.#nullables = layout.nullables;
  }

  override decimal(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.quote();
    this.copyShort(buffer, start, end);
    this.quote();
  }

  override date(year: number, month: number, day: number): void {
    const { column } = this;
    this.open();
    if (isRealDate(year, month, day)) this.integerText(daysFromCivil(year, month, day));
    else this.#noDate(column);
  }

  override time(micros: number): void {
    this.open();
    this.integerText(micros);
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
    const { column } = this;
    this.open();
    if (!isRealDate(year, month, day)) {
      this.#noDate(column);
      return;
    }
    const seconds = daysFromCivil(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    if (this.fractions[column]! > 3) this.microsText(seconds, micros);
    else this.integerText(seconds * 1000 + micros / 1000);
  }

  override instant(seconds: number, micros: number): void {
    const { column } = this;
    this.open();
    if (seconds === 0 && micros === 0 && this.#nullables[column] === 1) {
      this.nullText();
      return;
    }
    this.quote();
    this.civilText(seconds, micros, LETTER_T, this.fractions[column]!);
    this.out[this.at++] = LETTER_Z;
    this.quote();
  }

  override geometry(srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.ascii('{"wkb":');
    this.base64String(buffer, start, end);
    this.ascii(',"srid":');
    this.integerText(srid);
    this.ascii('}');
  }

  override vector(buffer: Uint8Array, start: number, end: number): void {
    const view = new DataView(buffer.buffer, buffer.byteOffset + start, end - start);
    const texts = Array.from({ length: (end - start) >> 2 }, (_, i) => shortestFloat32(view.getFloat32(i * 4, true)));
    const text = `[${texts.join(',')}]`;
    this.open();
    this.reserve(text.length);
    this.ascii(text);
  }

  /** The last byte first. */
  protected override bitString(buffer: Uint8Array, start: number, end: number): void {
    const bits = this.#bits;
    for (let index = 0; index < end - start; index += 1) bits[index] = buffer[end - 1 - index]!;
    this.base64String(bits, 0, end - start);
  }

  #noDate(column: number): void {
    if (this.#nullables[column] === 1) this.nullText();
    else this.integerText(0);
  }
}
