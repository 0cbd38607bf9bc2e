import type { Cursor, TableName } from './cursor.ts';
import { type Expression, type Order, parseExpression, parseOrders } from './expression.ts';

/** SELECT … [UNION ALL SELECT …]… [ORDER BY …] [LIMIT n] */
export interface Query {
  readonly selects: readonly Select[];
  readonly orderBy: readonly Order[];
  readonly limit: number;
}

export interface Select {
  readonly items: readonly SelectItem[];
  /** Null for one row without columns. */
  readonly from: FromItem | null;
  readonly joins: readonly Join[];
  /** Aliases that MAPJOIN names: the service joins by anything but equality only so. */
  readonly mapJoins: readonly string[];
  readonly where: Expression | null;
  readonly groupBy: readonly Expression[];
}

export type SelectItem =
  | { readonly kind: 'all'; readonly table: string | null }
  | { readonly kind: 'one'; readonly expression: Expression; readonly name: string | null };

export type FromItem =
  | { readonly kind: 'table'; readonly name: TableName; readonly alias: string }
  | { readonly kind: 'query'; readonly query: Query; readonly alias: string };

/** JOIN … ON …: pairs for which the condition holds. */
export interface Join {
  readonly with: FromItem;
  readonly on: Expression;
}

export function parseQuery(cursor: Cursor): Query {
  const selects = [parseSelect(cursor)];
  while (cursor.takes('UNION', 'ALL')) selects.push(parseSelect(cursor));
  const orderBy = cursor.takes('ORDER', 'BY') ? parseOrders(cursor) : [];
  const limit = cursor.takes('LIMIT') ? Number(cursor.number()) : Number.POSITIVE_INFINITY;
  return { selects, orderBy, limit };
}

function parseSelect(cursor: Cursor): Select {
  cursor.expect('SELECT');
  const mapJoins = mapJoinsOf(cursor.hint());
  const items: SelectItem[] = [];
  do items.push(parseItem(cursor));
  while (cursor.takes(','));
  const from = cursor.takes('FROM') ? parseFrom(cursor) : null;
  const joins: Join[] = [];
  while (from !== null && (cursor.takes('JOIN') || cursor.takes('INNER', 'JOIN'))) joins.push(parseJoin(cursor));
  const where = cursor.takes('WHERE') ? parseExpression(cursor) : null;
  const groupBy: Expression[] = [];
  if (cursor.takes('GROUP', 'BY'))
    do groupBy.push(parseExpression(cursor));
    while (cursor.takes(','));
  return { items, from, joins, mapJoins, where, groupBy };
}

function parseItem(cursor: Cursor): SelectItem {
  if (cursor.takes('*')) return { kind: 'all', table: null };
  const expression = parseExpression(cursor);
  if (expression.kind === 'column' && expression.name === '*') return { kind: 'all', table: expression.table };
  return { kind: 'one', expression, name: parseAlias(cursor) };
}

function parseFrom(cursor: Cursor): FromItem {
  if (cursor.takes('(')) {
    const query = parseQuery(cursor);
    cursor.expect(')');
    return { kind: 'query', query, alias: parseAlias(cursor) ?? '' };
  }
  const name = cursor.tableName();
  return { kind: 'table', name, alias: parseAlias(cursor) ?? name.at(-1) ?? '' };
}

function parseJoin(cursor: Cursor): Join {
  const item = parseFrom(cursor);
  cursor.expect('ON');
  return { with: item, on: parseExpression(cursor) };
}

/** MAPJOIN(a, b); other hints are nothing here. */
function mapJoinsOf(hint: string | null): string[] {
  const [, names = ''] = /\bMAPJOIN\s*\(([^)]*)\)/i.exec(hint ?? '') ?? [];
  return names.split(',').map((name) => name.replaceAll('`', '').trim().toLowerCase());
}

function parseAlias(cursor: Cursor): string | null {
  if (cursor.takes('AS')) return cursor.name();
  return cursor.seesName() ? cursor.name() : null;
}
