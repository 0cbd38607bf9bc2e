import type { RowImage, RowsPart } from '../../../pipeline/batch.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { ByteWriter } from './byte-writer.ts';
import type { KeyLayout } from './key-layout.ts';
import type { Memory } from './memory.ts';

const COMMA = 0x2c;
const SPACE = 0x20;
/** What any value but texts and bytes takes at most, with the comma. */
const VALUE_BYTES = 96;

/** Writes the key of one image of a row behind what `writer` has written. */
export interface KeyWriter<L extends KeyLayout> {
  readonly writer: ByteWriter;
  key(part: RowsPart, row: number, image: RowImage, layout: L): void;
}

/**
 * The values of a key's columns as text, joined with commas: numbers exact, texts as they are, bytes as base64, dates as their
 * text (instants in UTC), a null as nothing. It is the same for a loaded row and for one of the log.
 */
export class KeyText extends ByteWriter implements ValueVisitor, KeyWriter<KeyLayout> {
  readonly writer: ByteWriter = this;
  #column = 0;
  #fractions: Uint8Array = new Uint8Array(0);

  constructor(memory: Memory) {
    super(memory);
    this.slack = VALUE_BYTES;
  }

  key(part: RowsPart, row: number, image: RowImage, { visits, fractions }: KeyLayout): void {
    this.#fractions = fractions;
    this.#column = 0;
    for (let index = 0; index < visits.length; index += 1) part.visit(row, image, visits[index]!, this);
  }

  null(): void {
    this.#open();
  }

  integer(value: number): void {
    this.#open();
    this.integerText(value);
  }

  bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.#open();
    this.bigIntegerText(high, low);
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.#open();
    this.copyShort(buffer, start, end);
  }

  float(value: number): void {
    this.#open();
    this.floatText(value === 0 ? 0 : value); // 0 and -0 are one key
  }

  double(value: number): void {
    this.#open();
    this.doubleText(value === 0 ? 0 : value);
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.#open();
    this.copyLong(buffer, start, end);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#open();
    this.base64(buffer, start, end);
  }

  date(year: number, month: number, day: number): void {
    this.#open();
    this.dateText(year, month, day);
  }

  time(micros: number): void {
    const digits = this.#fractions[this.#column]!;
    this.#open();
    this.timeText(micros, digits);
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
    const digits = this.#fractions[this.#column]!;
    this.#open();
    this.dateText(year, month, day);
    this.out[this.at++] = SPACE;
    this.dayTimeText(hour, minute, second, micros, digits);
  }

  instant(seconds: number, micros: number): void {
    const digits = this.#fractions[this.#column]!;
    this.#open();
    this.civilText(seconds, micros, SPACE, digits);
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    this.#open();
    this.bitsText(buffer, start, end);
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

  #open(): void {
    this.reserve(0);
    if (this.#column > 0) this.out[this.at++] = COMMA;
    this.#column += 1;
  }
}
