import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { comparing } from './compare.ts';
import { evaluate } from './evaluate.ts';
import type { Expression, Order } from './expression.ts';
import type { Relation, RelationColumn } from './relation.ts';
import { SqlFailure } from './sql-failure.ts';

type WindowCall = Extract<Expression, { kind: 'call' }>;

/** The values that ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) has for the rows, in their order. */
export function rowNumbers({ columns, rows }: Relation, { over, args }: WindowCall): RowValue[] {
  if (over === null || over.orderBy.length === 0 || args.length > 0)
    throw SqlFailure.semantic('ROW_NUMBER() is served with ORDER BY, and without arguments');
  const keys = over.partitionBy.map((by) => evaluate(by, columns));
  const compare = comparingRows(over.orderBy, columns);
  const keyOf = (row: readonly RowValue[]) => keyText(keys.map(({ of }) => of(row)));
  const numbers = new Map<readonly RowValue[], bigint>();
  for (const group of Map.groupBy(rows, keyOf).values())
    for (const [index, row] of group.toSorted(compare).entries()) numbers.set(row, BigInt(index + 1));
  return rows.map((row) => numbers.get(row) ?? null);
}

/** The order that ORDER BY says; NULL is less than anything. */
export function comparingRows(
  orders: readonly Order[],
  columns: readonly RelationColumn[],
): (a: readonly RowValue[], b: readonly RowValue[]) => number {
  const steps = orders.map(({ by, isDescending }) => {
    const { type, of } = evaluate(by, columns);
    const compare = type === null ? () => 0 : comparing(type, type);
    return (a: readonly RowValue[], b: readonly RowValue[]) => {
      const order = comparingNulls(of(a), of(b), compare);
      return isDescending ? -order : order;
    };
  });
  return (a, b) => {
    for (const step of steps) {
      const order = step(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** What values are grouped by: equal texts for equal values. */
export function keyText(values: readonly RowValue[]): string {
  return JSON.stringify(values, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

function comparingNulls(a: RowValue, b: RowValue, compare: (a: RowValue, b: RowValue) => number): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return compare(a, b);
}
