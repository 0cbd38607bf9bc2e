import { csvOf } from './csv.ts';
import type { Cursor } from './cursor.ts';
import { parseQuery } from './query.ts';
import { runQuery } from './run-query.ts';
import type { Statement } from './sql-session.ts';

/** A query whose rows are the result of the statement. */
export function parseSelectStatement(cursor: Cursor): Statement {
  const query = parseQuery(cursor);
  return (session) => {
    const { columns, rows } = runQuery(query, session);
    return csvOf(
      columns.map(({ name }) => name),
      columns.map(({ type }) => type ?? { kind: 'string' }),
      rows,
    );
  };
}
