import type { JsonObject } from '../lib/json-value.ts';

/** A table at the source: two names, never a dotted string. */
export interface TableId {
  readonly database: string;
  readonly table: string;
}

/** A text that is equal for equal table ids and for no others, for maps and sets. */
export function tableKey({ database, table }: TableId): string {
  return `${database}\0${table}`;
}

/** `database`.`table`, for messages only. */
export function describeTable({ database, table }: TableId): string {
  return `\`${database}\`.\`${table}\``;
}

/** The kind of value a column holds: one visitor method each (value-visitor.ts), whatever the vendor calls the type. */
export type ValueType =
  /** `bytes` is the width at the source: 1, 2, 3, 4 or 8. */
  | { readonly kind: 'integer'; readonly bytes: number; readonly unsigned: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  | { readonly kind: 'text' }
  /** `length` is the exact width of a fixed binary column. */
  | { readonly kind: 'bytes'; readonly length?: number }
  | { readonly kind: 'date' }
  /** A signed duration or time of day; `fraction` is the number of digits after the second, here and below. */
  | { readonly kind: 'time'; readonly fraction: number }
  /** A civil time without a zone. */
  | { readonly kind: 'datetime'; readonly fraction: number }
  /** A point in time. */
  | { readonly kind: 'instant'; readonly fraction: number }
  | { readonly kind: 'year' }
  | { readonly kind: 'bits'; readonly width: number }
  /** One of, or with `set` any subset of, `labels`. */
  | { readonly kind: 'label'; readonly labels: readonly string[]; readonly set: boolean }
  | { readonly kind: 'json' }
  | { readonly kind: 'geometry' }
  | { readonly kind: 'vector' };

export interface Column {
  readonly name: string;
  readonly type: ValueType;
  readonly nullable: boolean;
  /** The source's own text of the type, such as `decimal(12,2) unsigned`; for people. */
  readonly sourceType: string;
  readonly comment: string;
  /** Computed by the source: its value arrives like any other and is stored as a plain value. */
  readonly generated: boolean;
}

/**
 * One shape of a table. Immutable: an altered table is a new object, so identity is the version, and encoders are
 * compiled once per object.
 * Shape: `columns` in the source's order; `key` holds indexes into `columns`, in key order; empty for a table without a primary key.
 */
export interface TableVersion {
  readonly id: TableId;
  readonly columns: readonly Column[];
  readonly key: readonly number[];
}

/** Which columns a visit goes over, in ascending column order. Identity matters: sources compile one plan per object. */
export interface ColumnSet {
  readonly indexes: readonly number[];
}

export function allColumns(table: TableVersion): ColumnSet {
  return { indexes: table.columns.map((_, index) => index) };
}

/** The key's columns in *column* order, not in key order. */
export function keyColumns(table: TableVersion): ColumnSet {
  return { indexes: [...table.key].sort((a, b) => a - b) };
}

/** A table version as JSON, for a checkpoint or a stored plan; `tableFromJson` is its inverse. */
export function tableToJson(table: TableVersion): JsonObject {
  return table as unknown as JsonObject;
}

export function tableFromJson(json: JsonObject): TableVersion {
  return json as unknown as TableVersion;
}
