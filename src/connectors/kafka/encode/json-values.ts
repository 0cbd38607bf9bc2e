import type { Column } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { JsonWriter, Names } from './json-writer.ts';
import { fractionOf } from './key-layout.ts';

/** How the values of some columns are written. */
export interface JsonLayout {
  readonly names: Names;
  readonly fractions: Uint8Array;
  /** 1 for BIT(1). */
  readonly booleans: Uint8Array;
}

export function layJson(columns: readonly Column[]): JsonLayout {
  return {
    names: new Names(columns.map(({ name }) => name)),
    fractions: Uint8Array.from(columns, ({ type }) => fractionOf(type)),
    booleans: Uint8Array.from(columns, ({ type }) => (type.kind === 'bits' && type.width === 1 ? 1 : 0)),
  };
}

/** Values as JSON has them: numbers as such, bytes in base64, BIT(1) as a boolean. Envelopes add, or write otherwise, what is their own. */
export abstract class JsonValues<L extends JsonLayout> extends JsonWriter implements ValueVisitor {
  protected fractions: Uint8Array = new Uint8Array(0);
  #booleans: Uint8Array = new Uint8Array(0);

  /** The values visited next are an image's, or a key's. */
  start({ names, fractions, booleans }: L): void {
    this.startImage(names);
    this.fractions = fractions;
    this.#booleans = booleans;
  }

  abstract decimal(buffer: Uint8Array, start: number, end: number): void;
  abstract date(year: number, month: number, day: number): void;
  abstract time(micros: number): void;
  abstract datetime(
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
    micros: number,
  ): void;
  abstract instant(seconds: number, micros: number): void;

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

  bits(buffer: Uint8Array, start: number, end: number): void {
    const isBoolean = this.#booleans[this.column] === 1;
    this.open();
    if (isBoolean) this.ascii((buffer[end - 1]! & 1) === 1 ? 'true' : 'false');
    else this.bitString(buffer, start, end);
  }

  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.text(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  /** More bits than one. */
  protected bitString(buffer: Uint8Array, start: number, end: number): void {
    this.base64String(buffer, start, end);
  }
}
