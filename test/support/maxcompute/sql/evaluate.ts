import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { castTo } from './cast.ts';
import { commonType, comparing } from './compare.ts';
import type { BinarySign, Comparison, Expression } from './expression.ts';
import { FUNCTIONS } from './functions.ts';
import { placeOfColumn, type RelationColumn } from './relation.ts';
import { SqlFailure } from './sql-failure.ts';

/** An expression over rows of some columns; its type is null for NULL. */
export interface Evaluated {
  readonly type: ColumnType | null;
  readonly of: (row: readonly RowValue[]) => RowValue;
}

const BOOLEAN: ColumnType = { kind: 'boolean' };
const TEXT: ColumnType = { kind: 'string' };
const BIGINT: ColumnType = { kind: 'bigint' };

/**
 * Makes an expression ready for rows of these columns. Aggregates and windows are none: who has them computes them first,
 * and puts columns in their place. Errors: SqlFailure, also for what the service would convert by itself.
 */
export function evaluate(expression: Expression, columns: readonly RelationColumn[]): Evaluated {
  const inner = (of: Expression) => evaluate(of, columns);
  switch (expression.kind) {
    case 'literal':
      return { type: expression.type, of: () => expression.value };
    case 'column': {
      const place = placeOfColumn(columns, expression.table, expression.name);
      return { type: columns[place]?.type ?? null, of: (row) => row[place] ?? null };
    }
    case 'cast': {
      const { type, of } = inner(expression.of);
      const cast = castTo(type, expression.type);
      return { type: expression.type, of: (row) => cast(of(row)) };
    }
    case 'not': {
      const { of } = boolean(inner(expression.of));
      return { type: BOOLEAN, of: (row) => flip(of(row)) };
    }
    case 'isNull': {
      const { of } = inner(expression.of);
      return { type: BOOLEAN, of: (row) => of(row) === null };
    }
    case 'binary':
      return binary(expression.sign, inner(expression.left), inner(expression.right));
    case 'case': {
      const whens = expression.whens.map(({ when, gives }) => ({ when: boolean(inner(when)), gives: inner(gives) }));
      const otherwise = inner(expression.otherwise);
      const type = [...whens.map(({ gives }) => gives.type), otherwise.type].reduce(commonType);
      return {
        type,
        of: (row) => (whens.find(({ when }) => when.of(row) === true)?.gives ?? otherwise).of(row),
      };
    }
    case 'call': {
      const known = FUNCTIONS[expression.name];
      if (known === undefined || expression.over !== null)
        throw SqlFailure.semantic(`function ${expression.name} is not served here`);
      return known(expression.args.map(inner));
    }
  }
}

/** Errors: SqlFailure if it is of another type. */
export function boolean(evaluated: Evaluated): Evaluated {
  if (evaluated.type !== null && evaluated.type.kind !== 'boolean')
    throw SqlFailure.semantic(`${evaluated.type.kind} where BOOLEAN is wanted`);
  return evaluated;
}

function binary(sign: BinarySign, left: Evaluated, right: Evaluated): Evaluated {
  switch (sign) {
    case 'AND':
      return { type: BOOLEAN, of: both(boolean(left), boolean(right), false) };
    case 'OR':
      return { type: BOOLEAN, of: both(boolean(left), boolean(right), true) };
    case '+':
    case '-':
      return { type: BIGINT, of: sum(sign, integer(left), integer(right)) };
    case '||':
      return FUNCTIONS['concat']?.([left, right]) ?? { type: TEXT, of: () => null };
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { type: BOOLEAN, of: comparison(sign, left, right) };
  }
}

/** AND, or OR where `decides` is true: what decides wins over NULL. */
function both(left: Evaluated, right: Evaluated, decides: boolean): Evaluated['of'] {
  return (row) => {
    const one = left.of(row);
    if (one === decides) return decides;
    const other = right.of(row);
    if (other === decides) return decides;
    return one === null || other === null ? null : !decides;
  };
}

function comparison(sign: Comparison, left: Evaluated, right: Evaluated): Evaluated['of'] {
  if (left.type === null || right.type === null) return () => null;
  const compare = comparing(left.type, right.type);
  const holds: Readonly<Record<Comparison, (order: number) => boolean>> = {
    '=': (order) => order === 0,
    '<>': (order) => order !== 0,
    '<': (order) => order < 0,
    '<=': (order) => order <= 0,
    '>': (order) => order > 0,
    '>=': (order) => order >= 0,
  };
  return (row) => {
    const [one, other] = [left.of(row), right.of(row)];
    return one === null || other === null ? null : holds[sign](compare(one, other));
  };
}

function sum(sign: '+' | '-', left: Evaluated, right: Evaluated): Evaluated['of'] {
  return (row) => {
    const [one, other] = [left.of(row), right.of(row)];
    if (one === null || other === null) return null;
    return sign === '+' ? (one as bigint) + (other as bigint) : (one as bigint) - (other as bigint);
  };
}

function integer(evaluated: Evaluated): Evaluated {
  if (evaluated.type !== null && commonType(evaluated.type, BIGINT)?.kind !== 'bigint')
    throw SqlFailure.semantic(`${evaluated.type.kind} where a whole number is wanted`);
  return evaluated;
}

function flip(value: RowValue): RowValue {
  return value === null ? null : value !== true;
}
