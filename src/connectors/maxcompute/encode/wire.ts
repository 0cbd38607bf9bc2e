import type { ColumnType } from '../protocol/column-type.ts';

/** How a value of a target column is written. Numbers, so that the encoder can switch on them. */
export const WIRE = {
  TINYINT: 1,
  SMALLINT: 2,
  INT: 3,
  BIGINT: 4,
  BOOLEAN: 5,
  FLOAT: 6,
  DOUBLE: 7,
  DECIMAL: 8,
  STRING: 9,
  /** A string of at most so many characters. */
  LIMITED: 10,
  BINARY: 11,
  DATE: 12,
  DATETIME: 13,
  TIMESTAMP: 14,
  TIMESTAMP_NTZ: 15,
} as const;
export type Wire = (typeof WIRE)[keyof typeof WIRE];

/** JSON is written as its text is. Types that nothing of a source becomes are not here. */
export const WIRES: Readonly<Partial<Record<ColumnType['kind'], Wire>>> = {
  tinyint: WIRE.TINYINT,
  smallint: WIRE.SMALLINT,
  int: WIRE.INT,
  bigint: WIRE.BIGINT,
  boolean: WIRE.BOOLEAN,
  float: WIRE.FLOAT,
  double: WIRE.DOUBLE,
  decimal: WIRE.DECIMAL,
  string: WIRE.STRING,
  json: WIRE.STRING,
  varchar: WIRE.LIMITED,
  char: WIRE.LIMITED,
  binary: WIRE.BINARY,
  date: WIRE.DATE,
  datetime: WIRE.DATETIME,
  timestamp: WIRE.TIMESTAMP,
  timestamp_ntz: WIRE.TIMESTAMP_NTZ,
};

/** Why a row is dirty; 0 when it is not. Texts in DIRTY_REASONS. */
export const DIRTY = {
  NONE: 0,
  NULL: 1,
  RANGE: 2,
  LOWEST: 3,
  DIGITS: 4,
  DATE: 5,
  LONG: 6,
  CHARACTERS: 7,
  UNEXPECTED: 8,
} as const;

export const DIRTY_REASONS = [
  '',
  'a null for a column that the target declares NOT NULL',
  'a number beyond the range of the target column',
  '-2^63, which a BIGINT of MaxCompute cannot hold',
  'a decimal with more digits than the target column has room for',
  'a zero or invalid date for a column that the target declares NOT NULL',
  'a text or bytes longer than the 8 MiB that a column of MaxCompute can hold',
  'a text with more characters than the target column has room for',
  'a kind of value that the target column cannot hold',
] as const;
