import type { Column, ColumnSet, TableVersion } from '../../../pipeline/table.ts';
import type { Hasher } from '../protocol/key-hash.ts';
import { wireTypeOf } from '../protocol/row-value.ts';
import type { SessionColumn } from '../protocol/tunnel-target.ts';
import { acceptedKinds } from '../types.ts';
import { META_COLUMNS, type MetaColumn } from '../wanted-table.ts';
import { WIRES } from './wire.ts';

/** The values of one visit, in its order: what the encoder knows of each, by its place there. */
export interface FieldRun {
  readonly columns: ColumnSet;
  /** The column's number on the wire, from 1. */
  readonly numbers: Int32Array<ArrayBuffer>;
  readonly wireTypes: Uint8Array<ArrayBuffer>;
  /** Of WIRE. */
  readonly wires: Uint8Array<ArrayBuffer>;
  /** 1: a null makes the row dirty. */
  readonly notNull: Uint8Array<ArrayBuffer>;
  /** 1: its hash is part of the row's. */
  readonly hashed: Uint8Array<ArrayBuffer>;
  /** 1: part of the key, where -0.0 is 0.0. */
  readonly keys: Uint8Array<ArrayBuffer>;
  /** Digits behind the second, where a time becomes text. */
  readonly fractions: Uint8Array<ArrayBuffer>;
  /** Bytes of a fixed binary column; 0 of others. */
  readonly widths: Int32Array<ArrayBuffer>;
  /** Characters that a LIMITED has room for. */
  readonly limits: Int32Array<ArrayBuffer>;
  /** Digits of a decimal before and behind the point. */
  readonly wholes: Uint8Array<ArrayBuffer>;
  readonly scales: Uint8Array<ArrayBuffer>;
}

/**
 * What is written of each change: `delta` upserts and deletes by key; `log` all images with what happened; `rows` the new
 * values alone.
 */
export type LayoutForm = 'delta' | 'log' | 'rows';

/** How the rows of one table version are written for the columns of one session. Compiled once for both. */
export interface RowLayout {
  readonly version: TableVersion;
  readonly form: LayoutForm;
  /**
   * The visits that write a row. Values go out in the order of their numbers, and a visit goes in the order of the source:
   * one run, unless the two orders differ, as they do behind a column that was added in the middle (H16).
   */
  readonly runs: readonly FieldRun[];
  /** The visits that write the key alone; none but for `delta`. */
  readonly keyRuns: readonly FieldRun[];
  /** Where the values of `keyRuns` are among those of `runs`. */
  readonly keyPlaces: Int32Array<ArrayBuffer>;
  readonly hasher: Hasher;
  /** The numbers of the columns that tell of a change, for `log`. */
  readonly meta: Readonly<Record<MetaColumn, number>>;
}

export interface LayoutOptions {
  readonly form: LayoutForm;
  /** The table's own, as the session or the service says: without UPSERT_COLUMNS. */
  readonly columns: readonly SessionColumn[];
  /** Of an upsert session; nothing of others. */
  readonly hashKey?: readonly string[];
  readonly hasher?: Hasher;
}

/**
 * Finds for each column of the source the one of the target, by name, whatever its case. Those that the target lacks are left out.
 * Errors: Error where the target was never compared (`compareTable`): a type that is not accepted, a log without its columns.
 */
export function layRows(version: TableVersion, options: LayoutOptions): RowLayout {
  const { form, columns, hashKey = [], hasher = 'default' } = options;
  const numbers = new Map(columns.map(({ name }, index) => [name.toLowerCase(), index + 1]));
  const hashed = new Set(hashKey.map((name) => name.toLowerCase()));
  const fields = version.columns.flatMap((column, index): Field[] => {
    const number = numbers.get(column.name.toLowerCase());
    const target = columns[(number ?? 0) - 1];
    if (number === undefined || target === undefined) return [];
    if (!acceptedKinds(column.type).includes(target.type.kind))
      throw new Error(`column ${column.name} was not compared: it is ${target.type.kind}`);
    const isKey = form === 'delta' && version.key.includes(index);
    return [{ index, number, column, target, isKey, isHashed: isKey && hashed.has(column.name.toLowerCase()) }];
  });
  const sorted = fields.toSorted((a, b) => a.number - b.number);
  const keys = sorted.filter(({ isKey }) => isKey);
  if (form === 'delta' && keys.filter(({ isHashed }) => isHashed).length !== hashed.size)
    throw new Error(`the session hashes (${hashKey.join(', ')}), which is not of the key`);
  return {
    version,
    form,
    runs: runsOf(sorted),
    keyRuns: runsOf(keys),
    keyPlaces: Int32Array.from(keys, (key) => sorted.indexOf(key)),
    hasher,
    meta: metaNumbers(form, numbers),
  };
}

interface Field {
  readonly index: number;
  readonly number: number;
  readonly column: Column;
  readonly target: SessionColumn;
  readonly isKey: boolean;
  readonly isHashed: boolean;
}

/** Cuts what is sorted by number wherever the source's order turns back. */
function runsOf(fields: readonly Field[]): FieldRun[] {
  const runs: Field[][] = [];
  for (const field of fields) {
    const last = runs.at(-1);
    if (last !== undefined && (last.at(-1)?.index ?? 0) < field.index) last.push(field);
    else runs.push([field]);
  }
  return runs.map(runOf);
}

function runOf(fields: readonly Field[]): FieldRun {
  return {
    columns: { indexes: fields.map(({ index }) => index) },
    numbers: Int32Array.from(fields, ({ number }) => number),
    wireTypes: Uint8Array.from(fields, ({ target }) => wireTypeOf(target.type)),
    wires: Uint8Array.from(fields, ({ target }) => WIRES[target.type.kind] ?? 0),
    notNull: Uint8Array.from(fields, ({ isKey, target }) => (isKey || !target.nullable ? 1 : 0)),
    hashed: Uint8Array.from(fields, ({ isHashed }) => (isHashed ? 1 : 0)),
    keys: Uint8Array.from(fields, ({ isKey }) => (isKey ? 1 : 0)),
    fractions: Uint8Array.from(fields, ({ column: { type } }) => ('fraction' in type ? type.fraction : 0)),
    widths: Int32Array.from(fields, ({ column: { type } }) => (type.kind === 'bytes' ? (type.length ?? 0) : 0)),
    limits: Int32Array.from(fields, ({ target: { type } }) => ('length' in type ? type.length : 0)),
    wholes: Uint8Array.from(fields, ({ target: { type } }) => ('scale' in type ? type.precision - type.scale : 0)),
    scales: Uint8Array.from(fields, ({ target: { type } }) => ('scale' in type ? type.scale : 0)),
  };
}

function metaNumbers(form: LayoutForm, numbers: ReadonlyMap<string, number>): Record<MetaColumn, number> {
  const entries = META_COLUMNS.map((name) => {
    const number = numbers.get(name);
    if (number === undefined && form === 'log') throw new Error(`a log without ${name} was not compared`);
    return [name, number ?? 0] as const;
  });
  return Object.fromEntries(entries) as Record<MetaColumn, number>;
}
