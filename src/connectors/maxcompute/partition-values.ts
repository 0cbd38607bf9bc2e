import { civilFromDays, isRealDate } from '../../lib/civil.ts';
import { dateText, timeText } from '../../lib/civil-text.ts';
import { shortestFloat32 } from '../../lib/shortest-float.ts';
import type { TimeZone } from '../../lib/time-zone.ts';
import type { Column, ValueType } from '../../pipeline/table.ts';
import type { ValueVisitor } from '../../pipeline/value-visitor.ts';

const DAY_SECONDS = 86_400;

/**
 * Values as bytes of our own, to tell cheaply whether a row's are those of the row before. Equal values have equal bytes,
 * others have not. Values that make no partition (`ValueTexts.takes`) never come here.
 */
export class KeyBytes implements ValueVisitor {
  #bytes = Buffer.allocUnsafe(256);
  #size = 0;
  #before = Buffer.allocUnsafe(256);
  #beforeSize = -1;

  begin(): void {
    this.#size = 0;
  }

  isAsBefore(): boolean {
    const size = this.#size;
    if (size !== this.#beforeSize) return false;
    for (let at = 0; at < size; at += 1) if (this.#bytes[at] !== this.#before[at]) return false;
    return true;
  }

  /** What is here is what the next row is compared with. */
  keep(): void {
    const bytes = this.#before;
    this.#before = this.#bytes;
    this.#beforeSize = this.#size;
    this.#bytes = bytes;
  }

  /** As a text, of which the same holds. */
  toKey(): string {
    return this.#bytes.toString('latin1', 0, this.#size);
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  null(): void {
    this.#room(1);
    this.#bytes[this.#size] = 0;
    this.#size += 1;
  }

  integer(value: number): void {
    this.#numbers(value, 0);
  }

  bigInteger(high: number, low: number): void {
    this.#numbers(high, low);
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  float(value: number): void {
    this.#numbers(value, 0);
  }

  double(value: number): void {
    this.#numbers(value, 0);
  }

  label(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  date(year: number, month: number, day: number): void {
    this.#numbers((year * 100 + month) * 100 + day, 0);
  }

  time(micros: number): void {
    this.#numbers(micros, 0);
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
    this.#numbers((year * 100 + month) * 100 + day, ((hour * 60 + minute) * 60 + second) * 1e6 + micros);
  }

  instant(seconds: number, micros: number): void {
    this.#numbers(seconds, micros);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    this.#blob(buffer, start, end);
  }

  #numbers(one: number, two: number): void {
    this.#room(17);
    this.#bytes[this.#size] = 1;
    this.#bytes.writeDoubleLE(one, this.#size + 1);
    this.#bytes.writeDoubleLE(two, this.#size + 9);
    this.#size += 17;
  }

  #blob(buffer: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#room(5 + length);
    this.#bytes[this.#size] = 1;
    this.#bytes.writeUInt32LE(length, this.#size + 1);
    this.#bytes.set(buffer.subarray(start, end), this.#size + 5);
    this.#size += 5 + length;
  }

  #room(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafe(2 * (this.#size + more));
    bytes.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = bytes;
  }
}

/** Values as texts, as the source prints them; points in time as a zone's clock shows them; no date is null. */
export class ValueTexts implements ValueVisitor {
  /** In the order of the columns. */
  readonly values: (string | null)[] = [];
  readonly #columns: readonly Column[];
  readonly #zone: TimeZone;

  constructor(columns: readonly Column[], zone: TimeZone) {
    this.#columns = columns;
    this.#zone = zone;
  }

  /** Whether values of a type can name a partition: those that people read. */
  static takes({ kind }: ValueType): boolean {
    return !['bytes', 'bits', 'json', 'geometry', 'vector'].includes(kind);
  }

  begin(): void {
    this.values.length = 0;
  }

  null(): void {
    this.values.push(null);
  }

  integer(value: number): void {
    this.values.push(String(value));
  }

  bigInteger(high: number, low: number): void {
    this.values.push(String((BigInt(high) << 32n) + BigInt(low)));
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  float(value: number): void {
    this.values.push(shortestFloat32(value));
  }

  double(value: number): void {
    this.values.push(String(value));
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.values.push(Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString());
  }

  label(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  date(year: number, month: number, day: number): void {
    this.values.push(isRealDate(year, month, day) ? dateText(year, month, day) : null);
  }

  time(micros: number): void {
    this.values.push(timeText(micros, this.#fraction()));
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
    const ofDay = ((hour * 60 + minute) * 60 + second) * 1e6 + micros;
    const text = `${dateText(year, month, day)} ${timeText(ofDay, this.#fraction())}`;
    this.values.push(isRealDate(year, month, day) ? text : null);
  }

  instant(seconds: number, micros: number): void {
    if (seconds === 0 && micros === 0) return this.null();
    const civil = this.#zone.toCivil(seconds);
    const days = Math.floor(civil / DAY_SECONDS);
    const date = civilFromDays(days);
    const clock = timeText((civil - days * DAY_SECONDS) * 1e6 + micros, this.#fraction());
    this.values.push(`${dateText(Math.floor(date / 10_000), Math.floor(date / 100) % 100, date % 100)} ${clock}`);
  }

  bytes(): void {
    this.null();
  }

  bits(): void {
    this.null();
  }

  json(): void {
    this.null();
  }

  geometry(): void {
    this.null();
  }

  vector(): void {
    this.null();
  }

  #fraction(): number {
    const type = this.#columns[this.values.length]?.type;
    return type !== undefined && 'fraction' in type ? type.fraction : 0;
  }
}
