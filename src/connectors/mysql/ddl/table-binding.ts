import type { Part } from '../../../pipeline/batch.ts';
import type { Failure } from '../../../pipeline/checkpoint.ts';
import type { CapturedTable } from '../captured-table.ts';
import type { TableMap } from '../protocol/table-map.ts';
import { RowLayout } from '../protocol/row-images.ts';
import { changeShape, type ChangeTools, schemaFailure, type ShapeChange, type ShapeChanged } from './schema-change.ts';
import { type CharsetOf, columnFromLog, fits, positionsOf } from './shape-match.ts';
import { isSameColumn, logColumns, type MysqlColumn, type MysqlTable } from '../types.ts';

/** A table map bound to its table: how to read its rows; null when the table cannot go on (`failure` says why). */
export interface Binding {
  readonly layout: RowLayout | null;
  /** What must be handed on before the rows: the new shape. */
  readonly parts: readonly Part[];
  readonly failure: Failure | null;
}

export interface BindingTools extends ChangeTools {
  charsetOf(collation: number): string | undefined;
  /** The table as the server describes it now; null when it has no such table, or not one that can be captured. */
  shapeNow(table: CapturedTable): Promise<MysqlTable | null>;
}

/**
 * Fits the shape that we hold to the table map of the log (decision 8: never guess, never shift columns). Where they differ
 * although no statement told so, the log's own names say what changed, or the server's if its present shape is the log's.
 * Errors: PipelineError `fatal` where a policy is CRITICAL.
 */
export async function bindTable(table: CapturedTable, map: TableMap, tools: BindingTools): Promise<Binding> {
  const inDoubt = table.suspect && map.full === null;
  if (!inDoubt && fits(map, table.shape, tools.charsetOf)) {
    table.suspect = false;
    return { layout: layoutOf(table, map), parts: [], failure: null };
  }
  const change =
    map.full === null ? await changeByServer(table, map, tools) : changeByNames(table, map, tools.charsetOf);
  if (typeof change === 'string') return { layout: null, parts: [], failure: schemaFailure(table, change) };
  const { parts, failure } = changeShape(table, change, tools);
  table.suspect = false;
  return { layout: failure === null ? layoutOf(table, map) : null, parts, failure };
}

function layoutOf({ shape }: CapturedTable, map: TableMap): RowLayout {
  return new RowLayout(map, shape, positionsOf(shape));
}

/** The log tells the names of its columns, and the types of new ones; the reason when one cannot be read. */
function changeByNames({ shape }: CapturedTable, map: TableMap, charsetOf: CharsetOf): ShapeChange | string {
  const known = byName(shape);
  const columns: MysqlColumn[] = [];
  for (const [position, name] of (map.full?.names ?? []).entries()) {
    const old = known.get(name.toLowerCase());
    const isAsBefore =
      old !== undefined && old.column.name === name && fits(map, { ...shape, log: [old] }, charsetOf, position);
    const column = isAsBefore ? old : map.full === null ? undefined : columnFromLog(map, map.full, position, charsetOf);
    if (column === undefined) return `column ${name} is of a type that is not served yet`;
    columns.push(column);
  }
  return {
    columns,
    origins: columns.map(({ column }) => known.get(column.name.toLowerCase())?.column.name ?? null),
    charset: shape.charset ?? null,
    keyChanged: false,
  };
}

/** The log tells no names: the server's present shape gives them, if it has exactly the columns of the log. */
async function changeByServer(table: CapturedTable, map: TableMap, tools: BindingTools): Promise<ShapeChange | string> {
  const now = await tools.shapeNow(table);
  return now !== null && fits(map, now, tools.charsetOf)
    ? changeTo(table, now)
    : 'the server no longer has the shape that the log has here';
}

/** Takes a table in doubt to the shape that the server tells, null if it has none: known to hold where the log is now. */
export function reshape(table: CapturedTable, now: MysqlTable | null, tools: ChangeTools): ShapeChanged {
  if (now !== null) return changeShape(table, changeTo(table, now), tools);
  const failure = schemaFailure(table, 'the server has no such table any more, or not one that can be captured');
  return { parts: [], failure };
}

function changeTo({ shape }: CapturedTable, now: MysqlTable): ShapeChange {
  const known = byName(shape);
  const columns = logColumns(now);
  const keyOf = ({ version, columns: all }: MysqlTable) =>
    version.key.map((index) => all[index]?.column.name).join('\0');
  return {
    // What is the same stays the same object, so that shapes compare as equal.
    columns: columns.map((column) => {
      const old = known.get(column.column.name.toLowerCase());
      return old?.column.name === column.column.name && isSameColumn(old, column) ? old : column;
    }),
    origins: columns.map(({ column }) => known.get(column.name.toLowerCase())?.column.name ?? null),
    charset: now.charset ?? null,
    keyChanged: keyOf(now) !== keyOf(shape),
  };
}

/** By name in lower case. */
function byName(shape: MysqlTable): ReadonlyMap<string, MysqlColumn> {
  return new Map(logColumns(shape).map((column) => [column.column.name.toLowerCase(), column]));
}
