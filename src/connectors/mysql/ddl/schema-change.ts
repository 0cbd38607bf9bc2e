import { isDeepStrictEqual } from 'node:util';
import { crashPoint } from '../../../lib/crash-point.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Part, SchemaPart } from '../../../pipeline/batch.ts';
import type { Failure } from '../../../pipeline/checkpoint.ts';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { DdlKind, DdlPolicies } from '../../../pipeline/policies.ts';
import { type Column, describeTable } from '../../../pipeline/table.ts';
import type { CapturedTable } from '../captured-table.ts';
import { isSameColumn, isSameName, type MysqlColumn, type MysqlTable } from '../types.ts';

/** What became of a table's columns. */
export interface ShapeChange {
  /** As they lie in the log from here on. */
  readonly columns: readonly MysqlColumn[];
  /** Parallel to `columns`: the former name, null of a new column. */
  readonly origins: readonly (string | null)[];
  readonly charset: string | null;
  readonly keyChanged: boolean;
}

export interface ChangeTools {
  readonly policies: DdlPolicies;
  readonly log: Logger;
}

export interface ShapeChanged {
  /** What must be handed on before rows of the new shape. */
  readonly parts: readonly Part[];
  /** Why the table cannot go on. */
  readonly failure: Failure | null;
}

/** A column that is handed on, and where it comes from. */
interface Delivered {
  readonly column: Column;
  readonly source: MysqlColumn;
  /** Its place in the log. */
  readonly position: number;
  readonly isKey: boolean;
}

/**
 * Takes a table to its new shape, as the policies want it: what is handed on keeps its name and its columns where a change is
 * not forwarded. Errors: PipelineError `fatal` where a policy is CRITICAL.
 */
export function changeShape(table: CapturedTable, change: ShapeChange, tools: ChangeTools): ShapeChanged {
  const { shape } = table;
  const news = new News(table, tools);
  if (change.keyChanged) return failed(table, 'its primary key is another one');
  const delivered: Delivered[] = [];
  for (const [index, old] of shape.columns.entries()) {
    const position = change.origins.indexOf(old.column.name);
    const source = change.columns[position];
    const known = shape.version.columns[index];
    if (known === undefined) continue;
    const isKey = shape.version.key.includes(index);
    if (source === undefined) {
      if (isKey) return failed(table, `column ${old.column.name} of its primary key is gone`);
      news.tell('DROPCOLUMN', known.name);
      continue;
    }
    const isRenamed = !isSameName(source.column.name, old.column.name) && news.tell('RENAMECOLUMN', source.column.name);
    const name = isRenamed ? source.column.name : known.name;
    const type = isSameColumn(old, source) ? known.type : source.column.type;
    const loosened = source.column.nullable && !known.nullable && !isKey;
    if (!isDeepStrictEqual(plain(type), plain(known.type)) || loosened) news.tell('MODIFYCOLUMN', name);
    if (isRenamed) news.renamed.push({ from: known.name, to: name });
    delivered.push({
      column: { ...source.column, name, type, nullable: known.nullable || loosened },
      source,
      position,
      isKey,
    });
  }
  for (const [position, source] of change.columns.entries()) {
    if (change.origins[position] !== null || !news.tell('ADDCOLUMN', source.column.name)) continue;
    delivered.push({ column: { ...source.column, nullable: true }, source, position, isKey: false });
  }
  if (new Set(delivered.map(({ column }) => column.name)).size !== delivered.length)
    return failed(table, 'a column has the name that another one still has at the target');
  return take(table, change, delivered, news);
}

/** In the order of the log, which is that of visits. */
function take(table: CapturedTable, change: ShapeChange, delivered: readonly Delivered[], news: News): ShapeChanged {
  const { shape } = table;
  const ordered = delivered.toSorted((a, b) => a.position - b.position);
  const keyNames = shape.version.key.map((index) => shape.columns[index]?.column.name);
  const version = {
    id: table.id,
    columns: ordered.map(({ column }) => column),
    key: keyNames.map((name) => ordered.findIndex(({ position }) => change.origins[position] === name)),
  };
  crashPoint('before shape changed');
  const isSeen = news.isAny || !isDeepStrictEqual(plain(version), plain(shape.version));
  table.shape = {
    version: isSeen ? version : shape.version,
    columns: ordered.map(({ source }) => source),
    log: change.columns,
    charset: change.charset,
  };
  table.suspect = false;
  table.windows.void();
  crashPoint('after shape changed');
  const progress: Part = { kind: 'progress', progress: table.progress() };
  return { parts: news.isAny ? [news.part(table.shape), progress] : [progress], failure: null };
}

/** What is told of a change: to the sink, and to people, as each kind's policy says. */
class News {
  readonly renamed: { from: string; to: string }[] = [];
  readonly #table: CapturedTable;
  readonly #tools: ChangeTools;
  readonly #names = new Map<DdlKind, string[]>();

  constructor(table: CapturedTable, tools: ChangeTools) {
    this.#table = table;
    this.#tools = tools;
  }

  /** Whether the sink is to follow. Errors: PipelineError `fatal` where the policy is CRITICAL. */
  tell(kind: DdlKind, column: string): boolean {
    const policy = this.#tools.policies[kind];
    if (policy === 'CRITICAL') throw critical(this.#table, kind, `column ${column} was changed`);
    if (policy === 'WARNING')
      this.#tools.log.warn(
        { table: this.#table.id, ddl: kind, column },
        'a column changed at the source, and not at the target',
      );
    const follows = policy === 'NORMAL';
    // A column that is gone must not stay obligatory at the target, nor one that may be NULL now.
    if (follows || kind === 'DROPCOLUMN' || kind === 'MODIFYCOLUMN')
      this.#names.set(kind, [...(this.#names.get(kind) ?? []), column]);
    return follows;
  }

  get isAny(): boolean {
    return this.#names.size > 0;
  }

  part({ version }: MysqlTable): SchemaPart {
    return {
      kind: 'schema',
      table: version,
      added: this.#names.get('ADDCOLUMN') ?? [],
      renamed: this.renamed,
      dropped: this.#names.get('DROPCOLUMN') ?? [],
      modified: this.#names.get('MODIFYCOLUMN') ?? [],
    };
  }
}

function failed(table: CapturedTable, why: string): ShapeChanged {
  return { parts: [], failure: schemaFailure(table, why) };
}

/** A change that the table cannot follow. */
export function schemaFailure(table: CapturedTable, why: string): Failure {
  return {
    code: 'Table.SchemaChanged',
    message: `${describeTable(table.id)} was altered at the source: ${why}`,
    remedy: 'Make the target fit, or drop it, then deploy the task again: the table is loaded afresh.',
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

/** Without the prototypes that values have which were read from JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
