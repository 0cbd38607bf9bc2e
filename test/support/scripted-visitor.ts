import type { RowImage, RowsPart } from '../../src/pipeline/batch.ts';
import { allColumns } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';
import type { ScriptedValue } from './scripted-rows.ts';

/** The values of one row image, as a test would have written them (scripted-rows.ts). */
export function scriptedRow(part: RowsPart, row: number, image: RowImage): ScriptedValue[] {
  const visitor = new ScriptedVisitor();
  part.visit(row, image, allColumns(part.table), visitor);
  return visitor.values;
}

class ScriptedVisitor implements ValueVisitor {
  readonly values: ScriptedValue[] = [];

  null(): void {
    this.values.push(null);
  }

  integer(value: number): void {
    this.values.push(value);
  }

  bigInteger(high: number, low: number): void {
    this.values.push((BigInt(high) << 32n) + BigInt(low));
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  float(value: number): void {
    this.values.push(value);
  }

  double(value: number): void {
    this.values.push(value);
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.values.push(Buffer.from(buffer.subarray(start, end)).toString());
  }

  label(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.values.push(Uint8Array.from(buffer.subarray(start, end)));
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    const bytes = Uint8Array.from(buffer.subarray(start, end));
    this.values.push([...new Float32Array(bytes.buffer)]);
  }

  date(year: number, month: number, day: number): void {
    this.values.push(`${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`);
  }

  time(micros: number): void {
    this.values.push(micros);
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
    const clock = [hour, minute, second].map((part) => padded(part, 2)).join(':');
    this.values.push(`${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)} ${clock}.${padded(micros, 6)}`);
  }

  instant(seconds: number, micros: number): void {
    const text = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
    this.values.push(seconds === 0 && micros === 0 ? '0' : `${text}.${padded(micros, 6)}`);
  }
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
