import type { Client } from 'pg';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { SinkTable } from '../../pipeline/route.ts';
import type { FailedTables } from '../../pipeline/sink.ts';
import { describeTable } from '../../pipeline/table.ts';
import { classify, sqlStateOf, toPipelineError } from './errors.ts';
import { describeTarget, targetKey } from './names.ts';
import { connect, disconnect, type Server } from './server.ts';
import type { HologresOptions, HologresSettings } from './options.ts';
import { missingSchemas, readTargets } from './target-catalogue.ts';
import { createStatements, mismatches, nameProblems } from './target-plan.ts';
import { Target } from './target.ts';

export interface PrepareOptions {
  readonly settings: HologresSettings;
  readonly options: HologresOptions;
  readonly tables: readonly SinkTable[];
  /** Columns that a target lacks are left out instead of refused: added columns are not forwarded. */
  readonly leavesOut: boolean;
}

export interface Prepared {
  readonly targets: readonly Target[];
  readonly failed: FailedTables;
}

/** Creates the targets that are missing and verifies the others, on a connection of its own. Errors: PipelineError. */
export async function prepareTargets(prepare: PrepareOptions): Promise<Prepared> {
  const { settings, options, leavesOut } = prepare;
  const { client, server } = await connect(settings);
  try {
    const failed: { table: SinkTable['table']['id']; error: PipelineError }[] = [];
    const refuse = (table: SinkTable, error: PipelineError) => failed.push({ table: table.table.id, error });
    for (const table of prepare.tables) if (table.table.key.length === 0) refuse(table, withoutKey(table));
    const tables = prepare.tables.filter(({ table }) => table.key.length > 0);
    await createMissing({ client, server, options, tables, refuse });
    const found = await readTargets(
      client,
      tables.map(({ target }) => target),
    );
    const targets: Target[] = [];
    for (const table of tables) {
      if (failed.some((failure) => failure.table === table.table.id)) continue;
      const existing = found.get(targetKey(table.target));
      const problems =
        existing === undefined
          ? [`${describeTarget(table.target)} is missing`]
          : mismatches(table.table, existing, leavesOut);
      if (existing === undefined || problems.length > 0) refuse(table, mismatch(table, problems));
      else targets.push(new Target(table, existing.columns));
    }
    return { targets, failed };
  } catch (error) {
    throw toPipelineError(error, 'preparing the target tables');
  } finally {
    disconnect(client);
  }
}

function withoutKey({ table: { id } }: SinkTable): PipelineError {
  return new PipelineError('table', 'Table.NoPrimaryKey', `${describeTable(id)} has no primary key`, {
    table: id,
    hint: 'Add a primary key: rows at the sink are found by it.',
  });
}

interface CreateMissingOptions {
  readonly client: Client;
  readonly server: Server;
  readonly options: HologresOptions;
  readonly tables: readonly SinkTable[];
  readonly refuse: (table: SinkTable, error: PipelineError) => void;
}

async function createMissing({ client, server, options, tables, refuse }: CreateMissingOptions): Promise<void> {
  const found = await readTargets(
    client,
    tables.map(({ target }) => target),
  );
  const missing = tables.filter(({ target }) => !found.has(targetKey(target)));
  if (missing.length === 0) return;
  const schemas = new Set(await missingSchemas(client, [...new Set(missing.map(({ target }) => target.schema))]));
  const creations: Creation[] = [];
  for (const table of missing) {
    const names = nameProblems(table.table, table.target);
    if (names.length > 0) {
      refuse(table, nameTooLong(table, names));
      continue;
    }
    const createSchema = schemas.delete(table.target.schema);
    const statements = createStatements({ ...table, server, properties: options.tableProperties, createSchema });
    creations.push({ table, statements });
  }
  // PostgreSQL makes many in one transaction; each alone where that is refused, so that the others are made.
  const together = server.kind === 'postgresql' ? CREATED_TOGETHER : 1;
  for (let from = 0; from < creations.length; from += together) {
    const some = creations.slice(from, from + together);
    if (some.length > 1 && (await createTogether(client, some))) continue;
    for (const { table, statements } of some) {
      const error = await create(client, statements, table);
      if (error !== null) refuse(table, error);
    }
  }
}

/** The statements that make a target, and its schema where it is the first in it. */
interface Creation {
  readonly table: SinkTable;
  readonly statements: readonly string[];
}

const CREATED_TOGETHER = 100;

/** In one implicit transaction; false when one of them was refused, and none is there. */
async function createTogether(client: Client, creations: readonly Creation[]): Promise<boolean> {
  try {
    await client.query(creations.flatMap(({ statements }) => statements).join(';\n'));
    return true;
  } catch (error) {
    const refusal = classify(error);
    if (refusal === 'unavailable' || refusal === 'denied') throw error;
    return false;
  }
}

/**
 * Two runs may create the same schema or table at the same moment: then, IF NOT EXISTS or not, the catalogue refuses one
 * of them with one of these, and on another try it is there.
 */
const CREATED_MEANWHILE = new Set(['23505', '42710', '42P06', '42P07']);
const TRIES = 3;

async function create(
  client: Client,
  statements: readonly string[],
  { table, target }: SinkTable,
): Promise<PipelineError | null> {
  for (let tries = 1; ; tries++) {
    try {
      for (const sql of statements) await client.query(sql);
      return null;
    } catch (error) {
      const refusal = classify(error);
      if (refusal === 'unavailable' || refusal === 'denied') throw error;
      if (statements.includes('BEGIN')) await client.query('ROLLBACK');
      if (!CREATED_MEANWHILE.has(sqlStateOf(error) ?? '') || tries === TRIES) {
        return toPipelineError(error, `creating ${describeTarget(target)}`, { table: table.id });
      }
    }
  }
}

function mismatch({ table }: SinkTable, problems: readonly string[]): PipelineError {
  return new PipelineError('table', 'Sink.TargetMismatch', problems.join('; '), {
    table: table.id,
    hint: 'Give the target the columns and the primary key of the plan, or drop it so that it is created; then deploy again.',
  });
}

function nameTooLong({ table }: SinkTable, problems: readonly string[]): PipelineError {
  return new PipelineError('table', 'Sink.NameTooLong', problems.join('; '), {
    table: table.id,
    hint: 'Choose a shorter name at the source or a shorter schema, or leave this table out.',
  });
}
