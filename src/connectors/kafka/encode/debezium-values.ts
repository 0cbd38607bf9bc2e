import { daysFromCivil, isRealDate } from '../../../lib/civil.ts';
import { shortestFloat32 } from '../../../lib/shortest-float.ts';
import type { Column } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { JsonWriter, Names } from './json-writer.ts';
import { fractionOf } from './key-layout.ts';

const DAY = 86_400;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** How the values of some columns are written. */
export interface DebeziumLayout {
  readonly names: Names;
  readonly fractions: Uint8Array;
  /** 1 for BIT(1). */
  readonly booleans: Uint8Array;
  /** 1 for columns that may be null. */
  readonly nullables: Uint8Array;
}

export function layDebezium(columns: readonly Column[]): DebeziumLayout {
  return {
    names: new Names(columns.map(({ name }) => name)),
    fractions: Uint8Array.from(columns, ({ type }) => fractionOf(type)),
    booleans: Uint8Array.from(columns, ({ type }) => (type.kind === 'bits' && type.width === 1 ? 1 : 0)),
    nullables: Uint8Array.from(columns, ({ nullable }) => (nullable ? 1 : 0)),
  };
}

/**
 * Values as Debezium's connector has them with `decimal.handling.mode` string, so that no reader rounds them, and otherwise by
 * default: dates as days, times as microseconds, DATETIME as milliseconds or, with more than three digits, microseconds of UTC,
 * TIMESTAMP as ISO text. What is no date is null, or the epoch where the column may not be null.
 */
export class DebeziumValues extends JsonWriter implements ValueVisitor {
  #fractions: Uint8Array = new Uint8Array(0);
  #booleans: Uint8Array = new Uint8Array(0);
  #nullables: Uint8Array = new Uint8Array(0);
  readonly #bits = new Uint8Array(8);

  /** The values visited next are an image's, or a key's. */
  start({ names, fractions, booleans, nullables }: DebeziumLayout): void {
    this.startImage(names);
    this.#fractions = fractions;
    this.#booleans = booleans;
    this.#nullables = nullables;
  }

  null(): void {
    this.open();
    this.nullText();
  }

  integer(value: number): void {
    this.open();
    this.integerText(value);
  }

  bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.open();
    this.bigIntegerText(high, low);
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.quote();
    this.copyShort(buffer, start, end);
    this.quote();
  }

  float(value: number): void {
    this.open();
    this.floatText(value);
  }

  double(value: number): void {
    this.open();
    this.doubleText(value);
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.string(buffer, start, end);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.base64String(buffer, start, end);
  }

  date(year: number, month: number, day: number): void {
    const { column } = this;
    this.open();
    if (isRealDate(year, month, day)) this.integerText(daysFromCivil(year, month, day));
    else this.#noDate(column);
  }

  time(micros: number): void {
    this.open();
    this.integerText(micros);
  }

  datetime(
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
    if (this.#fractions[column]! > 3) this.microsText(seconds, micros);
    else this.integerText(seconds * 1000 + micros / 1000);
  }

  instant(seconds: number, micros: number): void {
    const { column } = this;
    this.open();
    if (seconds === 0 && micros === 0 && this.#nullables[column] === 1) {
      this.nullText();
      return;
    }
    this.quote();
    this.civilText(seconds, micros, LETTER_T, this.#fractions[column]!);
    this.out[this.at++] = LETTER_Z;
    this.quote();
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    const isBoolean = this.#booleans[this.column] === 1;
    this.open();
    if (isBoolean) {
      this.ascii((buffer[end - 1]! & 1) === 1 ? 'true' : 'false');
      return;
    }
    const bits = this.#bits;
    for (let index = 0; index < end - start; index += 1) bits[index] = buffer[end - 1 - index]!;
    this.base64String(bits, 0, end - start);
  }

  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.text(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  geometry(srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.ascii('{"wkb":');
    this.base64String(buffer, start, end);
    this.ascii(',"srid":');
    this.integerText(srid);
    this.ascii('}');
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    const view = new DataView(buffer.buffer, buffer.byteOffset + start, end - start);
    const texts = Array.from({ length: (end - start) >> 2 }, (_, i) => shortestFloat32(view.getFloat32(i * 4, true)));
    const text = `[${texts.join(',')}]`;
    this.open();
    this.reserve(text.length);
    this.ascii(text);
  }

  #noDate(column: number): void {
    if (this.#nullables[column] === 1) this.nullText();
    else this.integerText(0);
  }
}
