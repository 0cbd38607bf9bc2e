import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { readResume } from '../../src/connectors/mysql/captured-table.ts';
import { mysqlConnector } from '../../src/connectors/mysql/connector.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import type { Batch, EmptyPart, LogPlace, RowsPart, SchemaPart } from '../../src/pipeline/batch.ts';
import type { Failure, TableProgress, TableState } from '../../src/pipeline/checkpoint.ts';
import type { Offset } from '../../src/pipeline/offset.ts';
import { DEFAULT_DDL_POLICIES, type DdlPolicies } from '../../src/pipeline/policies.ts';
import type { Source, SourceTable, StartPoint } from '../../src/pipeline/source.ts';
import { allColumns, tableKey, type TableVersion } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';
import type { TestServer } from './servers.ts';

export type Value = string | null;
export type Values = Readonly<Record<string, Value>>;

export function settingsOf({ port, user, password }: TestServer, database: string): Json {
  return mysqlConnector.parseSettings(
    { host: '127.0.0.1', port, username: user, password, database },
    DEFAULT_HOST_POLICY,
  );
}

export function openSource(
  server: TestServer,
  database: string,
  ddl: Partial<DdlPolicies> = {},
  reader: JsonObject = {},
  memoryBytes = 128 << 20,
): Source {
  const policies = {
    ddl: { ...DEFAULT_DDL_POLICIES, ...ddl },
    errorLimit: 0,
    failover: { count: 1, intervalMinutes: 1 },
  };
  return mysqlConnector.open({
    settings: settingsOf(server, database),
    options: mysqlConnector.parseOptions(reader),
    policies,
    memoryBytes,
    log: silentLog,
  });
}

/** A table that joins, described as it is now. */
export async function joining(
  source: Source,
  database: string,
  table: string,
  options: Partial<SourceTable> = {},
): Promise<SourceTable> {
  const id = { database, table };
  const [described] = await source.describe([{ id, progress: null }], AbortSignal.timeout(20_000));
  if (described?.kind !== 'shape') throw new Error(described?.failure.message ?? 'not described');
  return {
    id: described.shape.id,
    shape: described.shape,
    load: 'full',
    progress: null,
    emptyFirst: false,
    ...options,
  };
}

/** Every value of one row image as text, by column name. */
export function readRow(part: RowsPart, row: number, image: 'before' | 'after'): Values {
  const reader = new TextVisitor(part.table);
  part.visit(row, image, allColumns(part.table), reader);
  return reader.values;
}

/**
 * Follows a source as a keyed sink would: rows by key, states of tables, the last offset. What it holds is what a target
 * would hold.
 */
export class Follower {
  readonly tables = new Map<string, Map<string, Values>>();
  /** Rows inserted, updated or deleted, by table: one that is delivered twice counts twice. */
  readonly changes = new Map<string, number>();
  readonly states = new Map<string, TableProgress>();
  readonly events: string[] = [];
  /** Those that are forwarded, with their kind. */
  readonly statements: string[] = [];
  offset: Offset | null = null;
  version = 0;
  heldSinceMicros: number | null = null;
  error: unknown = null;
  /** Sees every part with rows. */
  onRows: (part: RowsPart) => void = () => {};
  /** Sees every part that empties a table. */
  onEmpty: (part: EmptyPart) => void = () => {};
  readonly source: Source;
  readonly #stop = new AbortController();
  #place = '';
  #isLast: (batch: Batch) => boolean = () => false;
  #done: Promise<void> = Promise.resolve();

  constructor(source: Source) {
    this.source = source;
  }

  start(
    version: number,
    tables: readonly SourceTable[],
    after: Offset | null = null,
    start: StartPoint | null = null,
  ): void {
    const batches = this.source.read({ after, tables: { version, tables }, start, signal: this.#stop.signal });
    this.#done = (async () => {
      for await (const batch of batches) {
        this.#take(batch);
        if (this.#isLast(batch)) break;
      }
    })().catch((error: unknown) => {
      this.error = error;
    });
  }

  /** Another one that holds what this one does, and goes on from there with `source`. */
  goOn(source: Source): Follower {
    const next = new Follower(source);
    for (const [table, rows] of this.tables) next.tables.set(table, rows);
    for (const [table, count] of this.changes) next.changes.set(table, count);
    for (const [table, progress] of this.states) next.states.set(table, progress);
    const tables = [...this.states.values()].map((progress): SourceTable => {
      const { shape } = readResume(progress.resume);
      return { id: progress.table, shape: shape.version, load: 'full', progress, emptyFirst: false };
    });
    next.start(this.version, tables, this.offset);
    return next;
  }

  /** Takes no batch after the first of which `isLast` holds. */
  stopWhen(isLast: (batch: Batch) => boolean): void {
    this.#isLast = isLast;
  }

  /** Resolves when the last batch was taken. */
  ended(): Promise<void> {
    return this.#done;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.source.close();
  }

  rows(database: string, table: string): Values[] {
    const rows = this.tables.get(tableKey({ database, table }))?.values() ?? [];
    return [...rows];
  }

  state(database: string, table: string): TableState | undefined {
    return this.states.get(tableKey({ database, table }))?.state;
  }

  failure(database: string, table: string): Failure | null {
    return this.states.get(tableKey({ database, table }))?.failure ?? null;
  }

  /** Waits until `what` holds. Errors: Error after 30 s, or what ended the source. */
  async until(what: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await what())) {
      if (this.error !== null) throw this.error;
      if (Date.now() > deadline)
        throw new Error(
          `it did not come to that; states: ${JSON.stringify([...this.states.values()].map(({ table, state }) => [table.table, state]))}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #take(batch: Batch): void {
    for (const part of batch.parts) {
      switch (part.kind) {
        case 'rows':
          this.#rows(part);
          break;
        case 'empty':
          this.#follows({ op: 'read', place: part.place, count: 0 });
          this.onEmpty(part);
          this.#table(part.table).clear();
          this.events.push(`empty ${part.table.id.table}`);
          break;
        case 'schema':
          this.events.push(describeChange(part));
          break;
        case 'ddl':
          this.statements.push(`${part.ddl}: ${part.statement}`);
          break;
        case 'progress':
          this.states.set(tableKey(part.progress.table), part.progress);
      }
    }
    this.offset = batch.offset;
    this.heldSinceMicros = batch.heldSinceMicros;
    this.version = batch.version;
  }

  #rows(part: RowsPart): void {
    this.#follows(part);
    this.onRows(part);
    const rows = this.#table(part.table);
    const name = tableKey(part.table.id);
    if (part.op !== 'read') this.changes.set(name, (this.changes.get(name) ?? 0) + part.count);
    const key = (values: Values) =>
      JSON.stringify(part.table.key.map((index) => values[part.table.columns[index]?.name ?? '']));
    for (let row = 0; row < part.count; row += 1) {
      if (part.op === 'update' || part.op === 'delete') rows.delete(key(readRow(part, row, 'before')));
      if (part.op === 'delete') continue;
      const values = readRow(part, row, 'after');
      rows.set(key(values), values);
    }
  }

  /** Places ascend, and rows that were read, or the end of those before, are before every change behind them. */
  #follows({ op, place, count }: Pick<RowsPart, 'op' | 'place' | 'count'>): void {
    const first = placeText(place, 0);
    if (op === 'read' ? first < this.#place : first <= this.#place)
      throw new Error(`rows at ${first} came behind ${this.#place}`);
    this.#place = op === 'read' ? first : placeText(place, count - 1);
  }

  #table({ id }: TableVersion): Map<string, Values> {
    const key = tableKey(id);
    let rows = this.tables.get(key);
    if (rows === undefined) {
      rows = new Map();
      this.tables.set(key, rows);
    }
    return rows;
  }
}

/** Orders rows as their texts are ordered. */
export function placeText({ epoch, fileNumber, position, within }: LogPlace, row: number): string {
  return [epoch, fileNumber, position, within + row].map((part) => String(part).padStart(12, '0')).join('.');
}

function describeChange({ added, renamed, dropped, modified }: SchemaPart): string {
  return [
    ...(added.length > 0 ? [`added ${added.join(',')}`] : []),
    ...(dropped.length > 0 ? [`dropped ${dropped.join(',')}`] : []),
    ...(modified.length > 0 ? [`modified ${modified.join(',')}`] : []),
    ...renamed.map(({ from, to }) => `renamed ${from} to ${to}`),
  ].join(', ');
}

/** Writes values as canonical texts: equal texts for equal values. */
class TextVisitor implements ValueVisitor {
  readonly values: Record<string, Value> = {};
  readonly #table: TableVersion;
  #column = 0;

  constructor(table: TableVersion) {
    this.#table = table;
  }

  null(): void {
    this.#add(null);
  }
  integer(value: number): void {
    this.#add(String(value));
  }
  bigInteger(high: number, low: number, unsigned: boolean): void {
    const value = (BigInt(high) << 32n) | BigInt(low);
    this.#add(String(unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value)));
  }
  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.#text(buffer, start, end);
  }
  float(value: number): void {
    this.#add(`f${Math.fround(value)}`);
  }
  double(value: number): void {
    this.#add(`d${value}`);
  }
  text(buffer: Uint8Array, start: number, end: number): void {
    this.#text(buffer, start, end);
  }
  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#add(`x${Buffer.from(buffer.subarray(start, end)).toString('hex')}`);
  }
  date(year: number, month: number, day: number): void {
    this.#add(`${year}-${month}-${day}`);
  }
  time(micros: number): void {
    this.#add(`${micros}us`);
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
    this.#add(`${year}-${month}-${day} ${hour}:${minute}:${second}+${micros}us`);
  }
  instant(seconds: number, micros: number): void {
    this.#add(`@${seconds}+${micros}us`);
  }
  bits(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }
  label(buffer: Uint8Array, start: number, end: number, ordinal: number | bigint): void {
    this.#add(`${Buffer.from(buffer.subarray(start, end)).toString()}#${ordinal}`);
  }
  json(buffer: Uint8Array, start: number, end: number): void {
    this.#text(buffer, start, end);
  }
  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }
  vector(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  #text(buffer: Uint8Array, start: number, end: number): void {
    this.#add(Buffer.from(buffer.subarray(start, end)).toString());
  }

  #add(value: Value): void {
    this.values[this.#table.columns[this.#column]?.name ?? ''] = value;
    this.#column += 1;
  }
}
