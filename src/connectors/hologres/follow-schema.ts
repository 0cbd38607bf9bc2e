import type { SchemaPart } from '../../pipeline/batch.ts';
import { ddlUnsupported } from '../../pipeline/ddl-unsupported.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { DdlPolicies } from '../../pipeline/policies.ts';
import type { Column, TableId } from '../../pipeline/table.ts';
import { describeTarget, nameProblem, quoteName } from './names.ts';
import type { Target } from './target.ts';
import { acceptedTypes, holdsAll, plannedType } from './types.ts';

/** What a changed shape asks of a target. */
export interface TargetChange {
  /** What stands behind ALTER TABLE, in order; each may be repeated. */
  readonly clauses: readonly string[];
  /** Why the table cannot go on. */
  readonly error: PipelineError | null;
}

export interface FollowSchemaOptions {
  readonly target: Target;
  readonly policies: DdlPolicies;
  /** The server knows ADD COLUMN IF NOT EXISTS. */
  readonly knowsIfNotExists: boolean;
}

/**
 * Takes what we know of a target to the shape of the rows that follow. Added columns are made, nullable; no column is ever dropped,
 * renamed or of another type at the target (Hologres has no means for it), but one that rows no longer fill, or fill with NULL,
 * stops being obligatory.
 */
export function followSchema(part: SchemaPart, options: FollowSchemaOptions): TargetChange {
  const { target, policies } = options;
  const { id } = part.table;
  if (part.renamed.length > 0) return refused(ddlUnsupported(id, 'RENAMECOLUMN'));
  if (part.dropped.length > 0 && policies.DROPCOLUMN === 'NORMAL') return refused(ddlUnsupported(id, 'DROPCOLUMN'));
  const columns = new Map(part.table.columns.map((column) => [column.name, column]));
  const clauses: string[] = [];
  for (const name of [...part.added, ...part.modified]) {
    const column = columns.get(name);
    const known = target.columns.get(name);
    if (column === undefined || known === undefined) continue;
    if (!acceptedTypes(column.type).includes(known.baseType) || !holdsAll(column.type, known))
      return refused(unfit(target, column, known.sql));
  }
  for (const name of part.added) {
    const column = columns.get(name);
    if (column === undefined || target.columns.has(name)) continue;
    const problem = nameProblem('the column name', name);
    if (problem !== null) return refused(nameTooLong(id, problem));
    const { baseType, sql } = plannedType(column, { isKey: false, keyOfHologres: false });
    target.columns.set(name, { baseType, sql, nullable: true });
    clauses.push(`ADD COLUMN ${options.knowsIfNotExists ? 'IF NOT EXISTS ' : ''}${quoteName(name)} ${sql}`);
  }
  for (const name of [...part.added, ...part.modified, ...part.dropped]) {
    const known = target.columns.get(name);
    if (known === undefined || known.nullable || columns.get(name)?.nullable === false) continue;
    target.columns.set(name, { ...known, nullable: true });
    clauses.push(`ALTER COLUMN ${quoteName(name)} DROP NOT NULL`);
  }
  return { clauses, error: null };
}

function refused(error: PipelineError): TargetChange {
  return { clauses: [], error };
}

function unfit({ table, id }: Target, { name, sourceType }: Column, sql: string): PipelineError {
  return new PipelineError(
    'table',
    'Sink.TargetMismatch',
    `${describeTarget(id)}: column "${name}" is ${sql}, which cannot hold every ${sourceType}, as the source has it now`,
    {
      table,
      hint: 'Give the target’s column a type that holds the new values, or drop the target; then deploy the task again: the table is loaded afresh.',
    },
  );
}

function nameTooLong(table: TableId, problem: string): PipelineError {
  return new PipelineError('table', 'Sink.NameTooLong', problem, {
    table,
    hint: 'Choose a shorter column name at the source, or remove this table from the task.',
  });
}
