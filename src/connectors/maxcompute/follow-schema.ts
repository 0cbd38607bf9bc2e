import type { SchemaPart } from '../../pipeline/batch.ts';
import { ddlUnsupported } from '../../pipeline/ddl-unsupported.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { DdlPolicies } from '../../pipeline/policies.ts';
import { describeTarget } from './names.ts';
import { columnTypeText } from './protocol/column-type.ts';
import type { PartitionRule } from './partition.ts';
import type { SessionColumn } from './protocol/tunnel-target.ts';
import type { Target } from './target.ts';
import { acceptedKinds, holdsAll } from './types.ts';
import { nameProblems, type PlannedColumn, plannedColumn } from './wanted-table.ts';

/** What a changed shape asks of a target. */
export interface TargetChange {
  /** Columns to be added at its end, in order; may be repeated. */
  readonly added: readonly PlannedColumn[];
  /** Why the table cannot go on. */
  readonly error: PipelineError | null;
}

/**
 * Takes what we know of a target to the shape of the rows that follow: columns that were added are added at its end, wherever they
 * are at the source (H16). None is ever dropped, renamed or of another type at the target; those that rows no longer fill stay.
 */
export function followSchema(
  part: SchemaPart,
  target: Target,
  { policies, partitions }: { readonly policies: DdlPolicies; readonly partitions: PartitionRule },
): TargetChange {
  const { id } = part.table;
  const lost = partitions.problems(part.table);
  if (lost.length > 0) return refused(unpartitioned(target, lost));
  if (part.renamed.length > 0) return refused(ddlUnsupported(id, 'RENAMECOLUMN'));
  if (part.dropped.length > 0 && policies.DROPCOLUMN === 'NORMAL') return refused(ddlUnsupported(id, 'DROPCOLUMN'));
  const columns = new Map(part.table.columns.map((column) => [column.name, column]));
  const there = new Map(target.columns.map((column) => [column.name.toLowerCase(), column]));
  const added: PlannedColumn[] = [];
  for (const name of [...part.added, ...part.modified]) {
    const column = columns.get(name);
    const known = there.get(name.toLowerCase());
    if (column === undefined) continue;
    if (known === undefined) {
      if (part.added.includes(name)) added.push({ ...plannedColumn(column, false), nullable: true });
    } else if (!acceptedKinds(column.type).includes(known.type.kind) || !holdsAll(column.type, known.type))
      return refused(unfit(target, known, column.sourceType));
  }
  const problems = nameProblems('t', { columns: added, key: [], partitionColumns: [] });
  if (problems.length > 0)
    return refused(
      new PipelineError('table', 'Sink.NameRefused', problems.join('; '), {
        table: id,
        hint: 'Choose another column name at the source, or remove this table from the task.',
      }),
    );
  if (added.length > 0) target.refresh([...target.columns, ...added]);
  return { added, error: null };
}

function refused(error: PipelineError): TargetChange {
  return { added: [], error };
}

/** Rows would go to the partition of nulls, one and all. */
function unpartitioned({ table }: Target, problems: readonly string[]): PipelineError {
  return new PipelineError('table', 'Sink.TargetMismatch', problems.join('; '), {
    table,
    hint: 'Partition by another column, which is another target, or take the table out of the task.',
  });
}

function unfit({ table, id }: Target, { name, type }: SessionColumn, sourceType: string): PipelineError {
  return new PipelineError(
    'table',
    'Sink.TargetMismatch',
    `${describeTarget(id)}: column "${name}" is ${columnTypeText(type)}, which cannot hold every ${sourceType}, as the source has it now`,
    {
      table,
      hint: 'Give the target’s column a type that holds the new values, or drop the target; then deploy the task again: the table is loaded afresh.',
    },
  );
}
