/**
 * How a value goes over the wire: PostgreSQL's binary send format of one base type. Numbers, so that the encoder can
 * switch on them; what each looks like in bytes stands in row-encoder.ts.
 */
export const WIRE = {
  INT2: 1,
  INT4: 2,
  INT8: 3,
  FLOAT4: 4,
  FLOAT8: 5,
  NUMERIC: 6,
  BOOL: 7,
  TEXT: 8,
  BYTEA: 9,
  DATE: 10,
  TIME: 11,
  TIMESTAMP: 12,
  TIMESTAMPTZ: 13,
  VARBIT: 14,
  JSON: 15,
  JSONB: 16,
} as const;
export type Wire = (typeof WIRE)[keyof typeof WIRE];

/** What an encoder needs to know of one target column. */
export interface EncodedColumn {
  readonly wire: Wire;
  /** False: a null makes the row dirty. */
  readonly nullable: boolean;
  readonly isKey: boolean;
  /** Digits after the second when a time is written as text; 0 otherwise. */
  readonly fraction: number;
  /** Bits of a bit column, bytes of a fixed binary column; 0 otherwise. */
  readonly width: number;
}

/** Why a row is dirty; 0 when it is not. Texts in DIRTY_REASONS. */
export const DIRTY = { NONE: 0, NULL: 1, RANGE: 2, DATE: 3, NUL_IN_KEY: 4, UNEXPECTED: 5 } as const;

export const DIRTY_REASONS = [
  '',
  'a null for a column that the target declares NOT NULL',
  'a value beyond the range of the target column',
  'a zero or invalid date for a column that the target declares NOT NULL',
  'a NUL character in a key, which the target cannot store',
  'a kind of value that the target column cannot hold',
] as const;
