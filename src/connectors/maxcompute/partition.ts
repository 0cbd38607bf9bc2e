import type { TimeZone } from '../../lib/time-zone.ts';
import type { RowImage, RowsPart } from '../../pipeline/batch.ts';
import { type ColumnSet, describeTable, type TableVersion } from '../../pipeline/table.ts';
import { formatTime, parsePartition, type PartitionExpression } from './partition-expression.ts';
import { KeyBytes, ValueTexts } from './partition-values.ts';
import type { PartitionLevels } from './statements.ts';

/** A partition of a table. Identity counts: one object for one partition, as long as it is in use. */
export interface Partition {
  /** As the tunnel says it, such as `pt=20240101,region=cn`; empty for a table without partitions. */
  readonly spec: string;
  readonly levels: PartitionLevels;
}

/** Says of each row of a table version which partition it belongs to. */
export interface PartitionOf {
  /** Rows of this time come next; microseconds since the epoch. */
  start(timeMicros: number): void;
  /** Null when the service takes no such value; `refused` says why. */
  of(part: RowsPart, row: number, image: RowImage): Partition | null;
  /** Where something goes that is of no row: fields are as if they were null. */
  withoutRow(): Partition;
  readonly refused: string;
}

export const LEVELS_MAX = 6;
export const VALUE_BYTES_MAX = 255;
/** What the service documents, and the minus, which dates have everywhere. */
const VALUE = /^[A-Za-z0-9 :_$#.!@-]+$/;
/** Remembered values; with more the memory begins anew. */
const KNOWN_MAX = 20_000;

/** What stands for a value that is null; the service itself takes no nulls. */
export const DEFAULT_VALUE = 'null_pt';

/** What is wrong with a partition's value; null when nothing is (H13). */
export function valueProblem(value: string): string | null {
  if (value === '') return 'a partition value that is empty';
  if (Buffer.byteLength(value) > VALUE_BYTES_MAX) return `a partition value longer than ${VALUE_BYTES_MAX} bytes`;
  return VALUE.test(value) ? null : 'a partition value with characters that MaxCompute does not take in one';
}

/** The option `partition`, read. */
export class PartitionRule {
  readonly #expressions: readonly (readonly [column: string, PartitionExpression])[];
  readonly #defaultValue: string;

  private constructor(expressions: readonly (readonly [string, PartitionExpression])[], defaultValue: string) {
    this.#expressions = expressions;
    this.#defaultValue = defaultValue;
  }

  /**
   * `text`: levels such as `pt=${yyyyMMdd},region=#{region}` (docs/maxcompute.md); empty for tables without partitions.
   * `defaultValue` stands for nulls. Errors: Error that says what is wrong with either, and where.
   */
  static parse(text: string, defaultValue: string = DEFAULT_VALUE): PartitionRule {
    const expressions = parsePartition(text);
    if (expressions.length > LEVELS_MAX)
      throw new Error(`partition has ${expressions.length} levels; MaxCompute takes ${LEVELS_MAX}`);
    const problem = valueProblem(defaultValue);
    if (problem !== null) throw new Error(`the value for nulls is ${problem}`);
    const seen = new Set<string>();
    for (const [column, { constant }] of expressions) {
      if (seen.has(column.toLowerCase())) throw new Error(`partition names the column ${column} twice`);
      seen.add(column.toLowerCase());
      const fault = constant === null ? null : valueProblem(constant);
      if (fault !== null) throw new Error(`partition gives ${column} ${fault}`);
    }
    return new PartitionRule(expressions, defaultValue);
  }

  /** The names of the levels. */
  get columns(): readonly string[] {
    return this.#expressions.map(([column]) => column);
  }

  /** Whether rows of one part may be of several partitions, and an update may move one. */
  get readsRows(): boolean {
    return this.#expressions.some(([, { fields }]) => fields.length > 0);
  }

  /** Whether the partition is of the time of the change. */
  get readsTime(): boolean {
    return this.#expressions.some(([, { formats }]) => formats.length > 0);
  }

  /** A level whose values are in the order of the changes' times, and its value at a time, by `zone`'s clock; null without one. */
  orderedLevel(zone: TimeZone): { readonly column: string; readonly valueAt: (ms: number) => string } | null {
    const [column, expression] = this.#expressions.find(([, { isInOrder }]) => isInOrder) ?? [];
    if (column === undefined || expression === undefined) return null;
    const valueAt = (ms: number) => {
      const civil = zone.toCivil(Math.floor(ms / 1000));
      const times = new Map(expression.formats.map((format) => [format, formatTime(format, civil)]));
      return expression.evaluate({ fields: new Map(), times, levels: [] }) ?? '';
    };
    return { column, valueAt };
  }

  /** Why a table cannot be partitioned so; empty when it can. */
  problems(table: TableVersion): readonly string[] {
    return this.#expressions.flatMap(([level, { fields }]) =>
      fields.flatMap((field) => {
        const column = table.columns.find(({ name }) => name === field);
        if (column === undefined)
          return [`partition ${level} is of the column ${field}, which ${describeTable(table.id)} has not`];
        return ValueTexts.takes(column.type)
          ? []
          : [`partition ${level} is of the column ${field}, which is ${column.sourceType} and makes no partition`];
      }),
    );
  }

  /** For the rows of a table version without problems. Time is that of `zone`'s clock. */
  of(table: TableVersion, zone: TimeZone): PartitionOf {
    return new RowPartitions(table, zone, this.#expressions, this.#defaultValue);
  }
}

class RowPartitions implements PartitionOf {
  refused = '';
  readonly #zone: TimeZone;
  readonly #expressions: readonly (readonly [string, PartitionExpression])[];
  readonly #defaultValue: string;
  readonly #columns: ColumnSet;
  readonly #fields: readonly string[];
  readonly #formats: readonly string[];
  readonly #bytes: KeyBytes;
  readonly #texts: ValueTexts;
  readonly #known = new Map<string, Partition | string>();
  readonly #all = new Map<string, Partition>();
  #second = Number.NaN;
  /** What the formats say at this second, by format. */
  #times = new Map<string, string>();
  #timesText = '';
  #last: Partition | string | null = null;

  constructor(
    table: TableVersion,
    zone: TimeZone,
    expressions: readonly (readonly [string, PartitionExpression])[],
    defaultValue: string,
  ) {
    this.#zone = zone;
    this.#expressions = expressions;
    this.#defaultValue = defaultValue;
    this.#formats = [...new Set(expressions.flatMap(([, { formats }]) => formats))];
    const wanted = new Set(expressions.flatMap(([, { fields }]) => fields));
    const indexes = table.columns.flatMap(({ name }, index) => (wanted.has(name) ? [index] : []));
    this.#columns = { indexes };
    this.#fields = indexes.flatMap((index) => table.columns[index]?.name ?? []);
    this.#bytes = new KeyBytes();
    this.#texts = new ValueTexts(
      indexes.flatMap((index) => table.columns[index] ?? []),
      zone,
    );
  }

  start(timeMicros: number): void {
    const second = Math.floor(timeMicros / 1e6);
    if (second === this.#second) return;
    this.#second = second;
    if (this.#formats.length === 0) return;
    const civil = this.#zone.toCivil(second);
    const times = new Map(this.#formats.map((format) => [format, formatTime(format, civil)]));
    const text = [...times.values()].join('\0');
    if (text === this.#timesText) return;
    this.#timesText = text;
    this.#times = times;
    this.#known.clear();
    this.#last = null;
  }

  of(part: RowsPart, row: number, image: RowImage): Partition | null {
    if (this.#fields.length === 0) {
      this.#last ??= this.#evaluate(new Map());
      return this.#said(this.#last);
    }
    const bytes = this.#bytes;
    bytes.begin();
    part.visit(row, image, this.#columns, bytes);
    if (this.#last !== null && bytes.isAsBefore()) return this.#said(this.#last);
    const key = bytes.toKey();
    let found = this.#known.get(key);
    if (found === undefined) {
      this.#texts.begin();
      part.visit(row, image, this.#columns, this.#texts);
      found = this.#evaluate(new Map(this.#fields.map((name, index) => [name, this.#texts.values[index] ?? null])));
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      this.#known.set(key, found);
    }
    this.#last = found;
    bytes.keep();
    return this.#said(found);
  }

  withoutRow(): Partition {
    const found = this.#evaluate(new Map());
    if (typeof found === 'string') throw new Error(`without a row there is ${found}`);
    return found;
  }

  #said(found: Partition | string): Partition | null {
    if (typeof found !== 'string') return found;
    this.refused = found;
    return null;
  }

  /** The partition, or why there is none. */
  #evaluate(fields: ReadonlyMap<string, string | null>): Partition | string {
    const levels: [string, string][] = [];
    for (const [column, expression] of this.#expressions) {
      const value = expression.evaluate({ fields, times: this.#times, levels }) ?? this.#defaultValue;
      const problem = valueProblem(value);
      if (problem !== null) return `${problem}, for ${column}`;
      levels.push([column, value]);
    }
    const spec = levels.map(([column, value]) => `${column}=${value}`).join(',');
    const known = this.#all.get(spec);
    if (known !== undefined) return known;
    if (this.#all.size >= KNOWN_MAX) this.#all.clear();
    const partition = { spec, levels };
    this.#all.set(spec, partition);
    return partition;
  }
}
