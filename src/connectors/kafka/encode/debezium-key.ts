import type { RowImage, RowsPart } from '../../../pipeline/batch.ts';
import type { TableVersion } from '../../../pipeline/table.ts';
import { keySchema } from './debezium-schema.ts';
import { type DebeziumLayout, DebeziumValues, layDebezium } from './debezium-values.ts';
import type { KeyLayout } from './key-layout.ts';
import type { KeyWriter } from './key-text.ts';
import type { Memory } from './memory.ts';

export interface DebeziumKeyLayout extends KeyLayout {
  readonly values: DebeziumLayout;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** `sourceName`: with a schema of that name; null for none. */
export function layDebeziumKey(table: TableVersion, layout: KeyLayout, sourceName: string | null): DebeziumKeyLayout {
  const columns = layout.columns.flatMap((index) => table.columns[index] ?? []);
  const head = sourceName === null ? '{' : `{"schema":${keySchema(sourceName, table, layout.columns)},"payload":{`;
  return {
    ...layout,
    values: layDebezium(columns),
    head: Buffer.from(head),
    tail: Buffer.from(sourceName === null ? '}' : '}}'),
  };
}

/** A key as a JSON object of its columns. */
export class DebeziumKey implements KeyWriter<DebeziumKeyLayout> {
  readonly writer: DebeziumValues;

  constructor(memory: Memory) {
    this.writer = new DebeziumValues(memory);
  }

  key(part: RowsPart, row: number, image: RowImage, { visits, values, head, tail }: DebeziumKeyLayout): void {
    const { writer } = this;
    writer.reserve(head.length);
    writer.put(head);
    writer.start(values);
    for (let index = 0; index < visits.length; index += 1) part.visit(row, image, visits[index]!, writer);
    writer.reserve(tail.length);
    writer.put(tail);
  }
}
