import type { DdlPart } from './batch.ts';
import { PipelineError } from './pipeline-error.ts';
import type { DdlKind } from './policies.ts';
import { describeTable, type TableId } from './table.ts';

/** A change that is to be forwarded, and that the sink has no means for: the table stops there. */
export function ddlUnsupported(table: TableId, kind: DdlKind): PipelineError {
  return new PipelineError(
    'table',
    'Table.DdlUnsupported',
    `${describeTable(table)}: the sink cannot do ${kind}, and its policy is NORMAL`,
    {
      table,
      hint: 'Set its policy to IGNORE or WARNING, then start or deploy the task again: the table is loaded afresh.',
    },
  );
}

/**
 * Why a sink whose tables follow their source cannot follow a statement: a table of another name, or none. Null for others:
 * what they do comes in other parts.
 */
export function ddlRefusal({ table: { id }, ddl }: DdlPart): PipelineError | null {
  return ddl === 'DROPTABLE' || ddl === 'RENAMETABLE' ? ddlUnsupported(id, ddl) : null;
}
