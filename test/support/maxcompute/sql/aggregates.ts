import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { comparing } from './compare.ts';
import { evaluate } from './evaluate.ts';
import type { Expression } from './expression.ts';
import { mapExpression, someExpression } from './map-expression.ts';
import type { Relation, RelationColumn } from './relation.ts';
import type { Wanted } from './run-query.ts';
import { SqlFailure } from './sql-failure.ts';
import { keyText } from './windows.ts';

type Call = Extract<Expression, { kind: 'call' }>;
type Group = readonly (readonly RowValue[])[];

interface Aggregate {
  readonly type: RelationColumn['type'];
  readonly of: (group: Group) => RowValue;
}

const AGGREGATES = ['count', 'max', 'min'];

export function hasAggregates(expression: Expression): boolean {
  return someExpression(expression, isAggregate);
}

/** One row a group, whose columns are what was grouped by and what was counted, and the items that name those. */
export function aggregate(
  { columns, rows }: Relation,
  wanted: readonly Wanted[],
  groupBy: readonly Expression[],
): [Relation, readonly Wanted[]] {
  const keys = groupBy.map((by) => evaluate(by, columns));
  const byKey = Map.groupBy(rows, (row) => keyText(keys.map(({ of }) => of(row))));
  const groups = groupBy.length === 0 ? [rows] : [...byKey.values()];
  const made: Aggregate[] = keys.map(({ type, of }) => ({ type, of: ([first = []]: Group) => of(first) }));
  const texts = groupBy.map((by) => JSON.stringify(by, bigintText));
  const replaced = wanted.map(({ name, expression }) => ({
    name,
    expression: mapExpression(expression, (part) => {
      const key = texts.indexOf(JSON.stringify(part, bigintText));
      if (key >= 0) return columnOf(key);
      if (!isAggregate(part)) return null;
      return columnOf(made.push(aggregateOf(part, columns)) - 1);
    }),
  }));
  return [
    {
      columns: made.map(({ type }, index) => ({ table: '', name: `group ${index}`, type })),
      rows: groups.map((group) => made.map(({ of }) => of(group))),
    },
    replaced,
  ];
}

function isAggregate(expression: Expression): expression is Call {
  return expression.kind === 'call' && expression.over === null && AGGREGATES.includes(expression.name);
}

function columnOf(index: number): Expression {
  return { kind: 'column', table: '', name: `group ${index}` };
}

/** COUNT(*) is without arguments. */
function aggregateOf({ name, args }: Call, columns: readonly RelationColumn[]): Aggregate {
  const [argument] = args;
  if (argument === undefined) {
    if (name !== 'count') throw SqlFailure.semantic(`${name} of nothing`);
    return { type: { kind: 'bigint' }, of: (group) => BigInt(group.length) };
  }
  const { type, of } = evaluate(argument, columns);
  const valuesOf = (group: Group) => group.map(of).filter((value) => value !== null);
  if (name === 'count') return { type: { kind: 'bigint' }, of: (group) => BigInt(valuesOf(group).length) };
  const compare = type === null ? () => 0 : comparing(type, type);
  const last = name === 'max' ? -1 : 0;
  return { type, of: (group) => valuesOf(group).toSorted(compare).at(last) ?? null };
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
