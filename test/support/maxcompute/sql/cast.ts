import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { whyNot } from '../check-value.ts';
import { SqlFailure } from './sql-failure.ts';
import { valueText } from './value-text.ts';

const INTEGERS: readonly ColumnType['kind'][] = ['tinyint', 'smallint', 'int', 'bigint'];

/** CAST of values: to texts, between whole numbers, from texts and whole numbers to numbers. Errors: SqlFailure for others. */
export function castTo(from: ColumnType | null, to: ColumnType): (value: RowValue) => RowValue {
  if (from === null || JSON.stringify(from) === JSON.stringify(to)) return (value) => value;
  if (to.kind === 'string') return (value) => valueText(from, value);
  const isInteger = INTEGERS.includes(from.kind);
  if (INTEGERS.includes(to.kind) && (isInteger || from.kind === 'string'))
    return (value) => fitting(to, isInteger ? value : wholeNumber(value));
  if (to.kind === 'decimal' && (isInteger || from.kind === 'string' || from.kind === 'decimal'))
    return (value) => (value === null ? null : fitting(to, String(value as string | bigint)));
  throw SqlFailure.semantic(`CAST of ${from.kind} to ${to.kind} is not done here`);
}

/** Texts that are no number become NULL. */
function wholeNumber(value: RowValue): RowValue {
  return typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? BigInt(value) : null;
}

function fitting(to: ColumnType, value: RowValue): RowValue {
  return whyNot(to, value) === null ? value : null;
}
