import { isDeepStrictEqual } from 'node:util';
import { crashPoint } from '../../lib/crash-point.ts';
import type { Part } from '../../pipeline/batch.ts';
import type { Failure } from '../../pipeline/checkpoint.ts';
import type { DdlPolicies } from '../../pipeline/policies.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { describeTable } from '../../pipeline/table.ts';
import type { Logger } from '../../lib/log.ts';
import type { CapturedTable } from './captured-table.ts';
import type { TableMap } from './protocol/table-map.ts';
import { RowLayout } from './protocol/row-images.ts';
import { columnFromLog, matchShape, type ShapeMatch } from './shape-match.ts';
import type { MysqlColumn, MysqlTable } from './types.ts';

/** A table map bound to its table: how to read its rows; null when the table cannot go on (`failure` says why). */
export interface Binding {
  readonly layout: RowLayout | null;
  /** What must be handed on before the rows: the new shape. */
  readonly parts: readonly Part[];
  readonly failure: Failure | null;
}

export interface BindingTools {
  readonly policies: DdlPolicies;
  readonly log: Logger;
  charsetOf(collation: number): string | undefined;
  /** The table as the server describes it now; null when it has no such table, or not one that can be captured. */
  shapeNow(table: CapturedTable): Promise<MysqlTable | null>;
}

/**
 * Fits the shape that we hold to the table map of the log (decision 8: never guess, never shift columns). Added columns
 * follow the policy ADDCOLUMN; any other change stops the table.
 * Errors: PipelineError `fatal` where a policy is CRITICAL.
 */
export async function bindTable(table: CapturedTable, map: TableMap, tools: BindingTools): Promise<Binding> {
  let match = matchShape(map, table.shape, tools.charsetOf);
  let named: MysqlTable | null = null;
  if (map.full === null && (table.suspect || match.kind === 'different')) {
    named = await tools.shapeNow(table);
    match = matchThroughServer(map, table.shape, named, match);
  }
  table.suspect = false;
  switch (match.kind) {
    case 'same':
      return { layout: new RowLayout(map, table.shape, match.positions), parts: [], failure: null };
    case 'added':
      return addColumns(table, map, match, named, tools);
    case 'different':
      return refuse(table, match, tools.policies);
  }
}

/** The log tells no names: the server's present shape gives them, if it has exactly the columns of the log. */
function matchThroughServer(map: TableMap, shape: MysqlTable, now: MysqlTable | null, byOrder: ShapeMatch): ShapeMatch {
  if (now === null || matchShape(map, now).kind !== 'same') {
    const change = byOrder.kind === 'different' ? byOrder.change : 'MODIFYCOLUMN';
    return {
      kind: 'different',
      change,
      why: 'it was altered, and the server no longer has the shape that the log has here',
    };
  }
  const names = now.columns.map(({ column }) => column.name);
  const positions = shape.columns.map(({ column }) => names.indexOf(column.name));
  for (const [index, column] of shape.columns.entries()) {
    const other = now.columns[positions[index] ?? -1];
    if (other === undefined)
      return { kind: 'different', change: 'DROPCOLUMN', why: `column ${column.column.name} is gone` };
    if (!isSameColumn(column, other))
      return { kind: 'different', change: 'MODIFYCOLUMN', why: `column ${column.column.name} has another type` };
  }
  const added = names.flatMap((_, position) => (positions.includes(position) ? [] : [position]));
  return added.length === 0 ? { kind: 'same', positions } : { kind: 'added', positions, added };
}

/** The same bytes stand for the same values: type with its labels, sign and width, and character set. */
function isSameColumn(a: MysqlColumn, b: MysqlColumn): boolean {
  return (
    a.charset === b.charset &&
    a.log.code === b.log.code &&
    a.log.meta === b.log.meta &&
    isDeepStrictEqual(toPlain(a.column.type), toPlain(b.column.type))
  );
}

/** Without the prototypes that values have which were read from JSON. */
function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function addColumns(
  table: CapturedTable,
  map: TableMap,
  match: Extract<ShapeMatch, { kind: 'added' }>,
  named: MysqlTable | null,
  { policies, log, charsetOf }: BindingTools,
): Binding {
  const nameAt = (position: number) =>
    map.full?.names[position] ?? named?.columns[position]?.column.name ?? `#${position}`;
  const names = match.added.map(nameAt);
  if (policies.ADDCOLUMN === 'CRITICAL') throw critical(table, 'ADDCOLUMN', `columns were added: ${names.join(', ')}`);
  if (policies.ADDCOLUMN !== 'NORMAL') {
    if (policies.ADDCOLUMN === 'WARNING')
      log.warn({ table: table.id, columns: names }, 'columns were added at the source and are left out');
    return { layout: new RowLayout(map, table.shape, match.positions), parts: [], failure: null };
  }
  const columns: MysqlColumn[] = [];
  for (let position = 0; position < map.types.length; position += 1) {
    const old = table.shape.columns[match.positions.indexOf(position)];
    const column = old ?? newColumn(map, position, named, charsetOf);
    if (column === undefined) {
      return fails(table, `column ${nameAt(position)} was added, of a type that is not served yet`);
    }
    columns.push(column);
  }
  const keyNames = table.shape.version.key.map((index) => table.shape.columns[index]?.column.name);
  const version = {
    id: table.id,
    columns: columns.map(({ column }) => column),
    key: keyNames.map((name) => columns.findIndex(({ column }) => column.name === name)),
  };
  crashPoint('before shape changed');
  table.shape = { version, columns };
  table.windows.void();
  crashPoint('after shape changed');
  const layout = new RowLayout(
    map,
    table.shape,
    columns.map((_, position) => position),
  );
  return {
    layout,
    parts: [
      { kind: 'schema', table: version, added: names },
      { kind: 'progress', progress: table.progress() },
    ],
    failure: null,
  };
}

function newColumn(
  map: TableMap,
  position: number,
  named: MysqlTable | null,
  charsetOf: (collation: number) => string | undefined,
): MysqlColumn | undefined {
  if (map.full !== null) return columnFromLog(map, map.full, position, charsetOf);
  const column = named?.columns[position];
  return column === undefined ? undefined : { ...column, column: { ...column.column, nullable: true } };
}

function refuse(
  table: CapturedTable,
  { change, why }: Extract<ShapeMatch, { kind: 'different' }>,
  policies: DdlPolicies,
): Binding {
  if (policies[change] === 'CRITICAL') throw critical(table, change, why);
  return fails(table, why);
}

function fails(table: CapturedTable, why: string): Binding {
  return {
    layout: null,
    parts: [],
    failure: {
      code: 'Table.SchemaChanged',
      message: `${describeTable(table.id)} was altered at the source: ${why}`,
      remedy: 'Make the target fit, or drop it, then deploy the task again: the table is loaded afresh.',
    },
  };
}

/** What a CRITICAL policy does. */
export function critical(table: CapturedTable, kind: string, why: string): PipelineError {
  return new PipelineError(
    'fatal',
    'Run.DdlCritical',
    `${describeTable(table.id)}: ${why}, and the policy of ${kind} is CRITICAL`,
    {
      hint: 'Settle the change at the target, then start the task with another policy.',
    },
  );
}
