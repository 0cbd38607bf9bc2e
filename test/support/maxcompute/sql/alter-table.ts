import type { DoubleTable } from '../tables.ts';
import { checkType, parseColumn } from './create-table.ts';
import type { Cursor } from './cursor.ts';
import { parsePartition } from './partition-spec.ts';
import { SqlFailure } from './sql-failure.ts';
import type { SqlSession, Statement } from './sql-session.ts';

/** ALTER TABLE t ADD COLUMNS [IF NOT EXISTS] (c type, …) | ADD [IF NOT EXISTS] PARTITION (…) … | DROP [IF EXISTS] PARTITION (…) */
export function parseAlter(cursor: Cursor): Statement {
  const name = cursor.tableName();
  const change = readChange(cursor);
  return (session) => {
    change(session.table(name), session);
    return '';
  };
}

type Change = (table: DoubleTable, session: SqlSession) => void;

function readChange(cursor: Cursor): Change {
  if (cursor.takes('ADD', 'COLUMNS') || cursor.takes('ADD', 'COLUMN')) return readAddColumns(cursor);
  if (cursor.takes('ADD')) return readAddPartitions(cursor);
  if (cursor.takes('DROP')) return readDropPartition(cursor);
  return cursor.fail('ADD or DROP');
}

function readAddColumns(cursor: Cursor): Change {
  const ifNotExists = cursor.takes('IF', 'NOT', 'EXISTS');
  const columns = cursor.list(() => parseColumn(cursor));
  return (table, session) => {
    for (const column of columns) {
      checkType(column, session);
      if (column.notNull === true) throw SqlFailure.semantic(`${column.name}: an added column is never NOT NULL`);
      const isThere = [...table.columns.map(({ name }) => name), ...table.partitionColumns].includes(column.name);
      if (isThere && !ifNotExists) throw SqlFailure.semantic(`column ${column.name} already exists`);
      if (!isThere) table.addColumn(column);
    }
  };
}

function readAddPartitions(cursor: Cursor): Change {
  const ifNotExists = cursor.takes('IF', 'NOT', 'EXISTS');
  const partitions = [parsePartition(cursor) ?? cursor.fail('PARTITION')];
  for (let more = parsePartition(cursor); more !== null; more = parsePartition(cursor)) partitions.push(more);
  return (table, session) => {
    for (const values of partitions) {
      const partition = session.partition(table, values, true);
      if (table.partitions.has(partition) && !ifNotExists)
        throw new SqlFailure('ODPS-0110061', `Failed to run ddltask - partition ${partition} already exists`);
      if (!table.partitions.has(partition)) table.partitions.set(partition, []);
    }
  };
}

function readDropPartition(cursor: Cursor): Change {
  const ifExists = cursor.takes('IF', 'EXISTS');
  const values = parsePartition(cursor) ?? cursor.fail('PARTITION');
  return (table, session) => {
    const partition = session.partition(table, values, true);
    if (!table.partitions.delete(partition) && !ifExists)
      throw SqlFailure.semantic(`partition not found - ${partition} of ${table.name}`);
  };
}
