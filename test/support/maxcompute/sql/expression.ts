import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import type { Cursor } from './cursor.ts';

/** An expression as it was written. A literal's type is null for NULL. */
export type Expression =
  | { readonly kind: 'literal'; readonly type: ColumnType | null; readonly value: RowValue }
  | { readonly kind: 'column'; readonly table: string | null; readonly name: string }
  | { readonly kind: 'cast'; readonly of: Expression; readonly type: ColumnType }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'isNull'; readonly of: Expression }
  | { readonly kind: 'binary'; readonly sign: BinarySign; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'case'; readonly whens: readonly When[]; readonly otherwise: Expression }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly over: Window | null;
    };

export type BinarySign = 'OR' | 'AND' | Comparison | '+' | '-' | '||';
export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

export interface When {
  readonly when: Expression;
  readonly gives: Expression;
}

export interface Window {
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly Order[];
}

export interface Order {
  readonly by: Expression;
  readonly isDescending: boolean;
}

const TEXT: ColumnType = { kind: 'string' };
const NULL: Expression = { kind: 'literal', type: null, value: null };
const INT_MAX = 2n ** 31n;
/** Signs that are tried in this order: the longer ones first. */
const COMPARISONS = ['<=', '>=', '<>', '!=', '=', '<', '>'] as const;

export function parseExpression(cursor: Cursor): Expression {
  return parseChain(cursor, ['OR'], () => parseChain(cursor, ['AND'], () => parseNot(cursor)));
}

/** a, b DESC, … */
export function parseOrders(cursor: Cursor): Order[] {
  const orders: Order[] = [];
  do {
    const by = parseExpression(cursor);
    const isDescending = cursor.takes('DESC');
    if (!isDescending) cursor.takes('ASC');
    orders.push({ by, isDescending });
  } while (cursor.takes(','));
  return orders;
}

function parseChain(cursor: Cursor, signs: readonly BinarySign[], operand: () => Expression): Expression {
  let left = operand();
  for (;;) {
    const sign = signs.find((one) => cursor.takes(one));
    if (sign === undefined) return left;
    left = { kind: 'binary', sign, left, right: operand() };
  }
}

function parseNot(cursor: Cursor): Expression {
  return cursor.takes('NOT') ? { kind: 'not', of: parseNot(cursor) } : parseComparison(cursor);
}

function parseComparison(cursor: Cursor): Expression {
  const left = parseSum(cursor);
  if (cursor.takes('IS', 'NOT', 'NULL')) return { kind: 'not', of: { kind: 'isNull', of: left } };
  if (cursor.takes('IS', 'NULL')) return { kind: 'isNull', of: left };
  if (cursor.takes('NOT', 'IN')) return { kind: 'not', of: parseIn(cursor, left) };
  if (cursor.takes('IN')) return parseIn(cursor, left);
  const sign = COMPARISONS.find((one) => cursor.takes(one));
  if (sign === undefined) return left;
  return { kind: 'binary', sign: sign === '!=' ? '<>' : sign, left, right: parseSum(cursor) };
}

function parseIn(cursor: Cursor, left: Expression): Expression {
  return cursor
    .list(() => parseExpression(cursor))
    .map((right): Expression => ({ kind: 'binary', sign: '=', left, right }))
    .reduce((all, one) => ({ kind: 'binary', sign: 'OR', left: all, right: one }));
}

function parseSum(cursor: Cursor): Expression {
  return parseChain(cursor, ['+', '-', '||'], () => parsePrimary(cursor));
}

function parsePrimary(cursor: Cursor): Expression {
  if (cursor.takes('(')) {
    const inner = parseExpression(cursor);
    cursor.expect(')');
    return inner;
  }
  const isNegative = cursor.takes('-');
  if (isNegative || cursor.next.kind === 'number') return parseNumber(cursor, isNegative);
  if (cursor.next.kind === 'text') return { kind: 'literal', type: TEXT, value: cursor.text() };
  if (cursor.takes('NULL')) return NULL;
  if (cursor.takes('TRUE')) return { kind: 'literal', type: { kind: 'boolean' }, value: true };
  if (cursor.takes('FALSE')) return { kind: 'literal', type: { kind: 'boolean' }, value: false };
  if (cursor.takes('CASE')) return parseCase(cursor);
  if (cursor.takes('CAST', '(')) {
    const of = parseExpression(cursor);
    cursor.expect('AS');
    const type = cursor.type();
    cursor.expect(')');
    return { kind: 'cast', of, type };
  }
  const name = cursor.name();
  if (cursor.sees('(')) return parseCall(cursor, name);
  if (!cursor.takes('.')) return { kind: 'column', table: null, name };
  return { kind: 'column', table: name, name: cursor.takes('*') ? '*' : cursor.name() };
}

/** 1 is INT, or BIGINT where it is too large; 1L BIGINT; 1.5BD DECIMAL; 1.5 DOUBLE. */
function parseNumber(cursor: Cursor, isNegative: boolean): Expression {
  const suffix = /[A-Z]*$/i.exec(cursor.next.text)?.[0].toUpperCase() ?? '';
  const digits = `${isNegative ? '-' : ''}${cursor.number()}`;
  if (suffix === 'BD') return { kind: 'literal', type: { kind: 'decimal', precision: 38, scale: 18 }, value: digits };
  if (digits.includes('.')) return { kind: 'literal', type: { kind: 'double' }, value: Number(digits) };
  const value = BigInt(digits);
  const isInt = suffix === '' && value < INT_MAX && value >= -INT_MAX;
  return { kind: 'literal', type: { kind: isInt ? 'int' : 'bigint' }, value };
}

function parseCase(cursor: Cursor): Expression {
  const whens: When[] = [];
  while (cursor.takes('WHEN')) {
    const when = parseExpression(cursor);
    cursor.expect('THEN');
    whens.push({ when, gives: parseExpression(cursor) });
  }
  const otherwise = cursor.takes('ELSE') ? parseExpression(cursor) : NULL;
  cursor.expect('END');
  return { kind: 'case', whens, otherwise };
}

function parseCall(cursor: Cursor, name: string): Expression {
  cursor.expect('(');
  const args: Expression[] = [];
  if (!cursor.takes('*') && !cursor.sees(')'))
    do args.push(parseExpression(cursor));
    while (cursor.takes(','));
  cursor.expect(')');
  return { kind: 'call', name, args, over: cursor.takes('OVER') ? parseWindow(cursor) : null };
}

function parseWindow(cursor: Cursor): Window {
  cursor.expect('(');
  const partitionBy: Expression[] = [];
  if (cursor.takes('PARTITION', 'BY'))
    do partitionBy.push(parseExpression(cursor));
    while (cursor.takes(','));
  const orderBy = cursor.takes('ORDER', 'BY') ? parseOrders(cursor) : [];
  cursor.expect(')');
  return { partitionBy, orderBy };
}
