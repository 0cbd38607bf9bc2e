import { parseAlter } from './alter-table.ts';
import { parseCreateTable } from './create-table.ts';
import { Cursor } from './cursor.ts';
import { parseInsert } from './insert.ts';
import { parsePartition } from './partition-spec.ts';
import { parseSelectStatement } from './select.ts';
import type { Statement } from './sql-session.ts';

/** Reads one statement, which ends in `;`. What is not known here fails as what the service cannot parse does. */
export function parseStatement(text: string): Statement {
  const cursor = new Cursor(text);
  const statement = readStatement(cursor);
  cursor.end();
  return statement;
}

function readStatement(cursor: Cursor): Statement {
  if (cursor.takes('CREATE', 'TABLE')) return parseCreateTable(cursor);
  if (cursor.takes('CREATE', 'SCHEMA')) return parseCreateSchema(cursor);
  if (cursor.takes('DROP', 'TABLE')) return parseDropTable(cursor);
  if (cursor.takes('ALTER', 'TABLE')) return parseAlter(cursor);
  if (cursor.takes('TRUNCATE', 'TABLE')) return parseTruncate(cursor);
  if (cursor.sees('SELECT')) return parseSelectStatement(cursor);
  if (cursor.takes('INSERT')) return parseInsert(cursor);
  return cursor.fail('a statement');
}

function parseCreateSchema(cursor: Cursor): Statement {
  const ifNotExists = cursor.takes('IF', 'NOT', 'EXISTS');
  const names = cursor.tableName();
  return (session) => session.createSchema(names, ifNotExists);
}

function parseDropTable(cursor: Cursor): Statement {
  const ifExists = cursor.takes('IF', 'EXISTS');
  const name = cursor.tableName();
  return (session) => {
    if (!ifExists || session.find(name) !== null) session.table(name);
    session.drop(name);
    return '';
  };
}

function parseTruncate(cursor: Cursor): Statement {
  const name = cursor.tableName();
  const first = parsePartition(cursor);
  const partitions = first === null ? [] : [first];
  while (first !== null && cursor.takes(',')) partitions.push(parsePartition(cursor) ?? cursor.fail('PARTITION'));
  return (session) => {
    const table = session.table(name);
    if (first === null) table.truncate();
    for (const partition of partitions) table.truncate(session.partition(table, partition));
    return '';
  };
}
