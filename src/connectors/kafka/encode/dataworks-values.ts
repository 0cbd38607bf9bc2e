import { daysFromCivil, isRealDate } from '../../../lib/civil.ts';
import type { ValueType } from '../../../pipeline/table.ts';
import { type JsonLayout, JsonValues } from './json-values.ts';
import type { Memory } from './memory.ts';
import type { TimeZone } from '../../../lib/time-zone.ts';

const DAY = 86_400;

/** The type that `schema.dataColumn` says of a column: of the column, never of a value. */
export function dataWorksType(type: ValueType): string {
  switch (type.kind) {
    case 'integer':
    case 'year':
      return 'LONG';
    case 'decimal':
    case 'float':
    case 'double':
      return 'DOUBLE';
    case 'date':
    case 'datetime':
    case 'instant':
      return 'DATE';
    case 'bits':
      return type.width === 1 ? 'BOOLEAN' : 'BYTES';
    case 'bytes':
    case 'geometry':
    case 'vector':
      return 'BYTES';
    case 'text':
    case 'time':
    case 'label':
    case 'json':
      return 'STRING';
  }
}

/** Values as DataWorks has them: dates as milliseconds of the zone's clock, cut to the millisecond; no date is null. */
export class DataWorksValues extends JsonValues<JsonLayout> {
  readonly #zone: TimeZone;

  constructor(memory: Memory, zone: TimeZone) {
    super(memory);
    this.#zone = zone;
  }

  override decimal(buffer: Uint8Array, start: number, end: number): void {
    this.open();
    this.copyShort(buffer, start, end);
  }

  override date(year: number, month: number, day: number): void {
    this.open();
    if (isRealDate(year, month, day)) this.#civil(daysFromCivil(year, month, day) * DAY, 0);
    else this.nullText();
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
    this.open();
    if (isRealDate(year, month, day)) {
      this.#civil(daysFromCivil(year, month, day) * DAY + hour * 3600 + minute * 60 + second, micros);
    } else this.nullText();
  }

  override instant(seconds: number, micros: number): void {
    this.open();
    if (seconds === 0 && micros === 0) this.nullText();
    else this.integerText(seconds * 1000 + ((micros / 1000) | 0));
  }

  #civil(seconds: number, micros: number): void {
    this.integerText(this.#zone.toInstant(seconds) * 1000 + ((micros / 1000) | 0));
  }
}
