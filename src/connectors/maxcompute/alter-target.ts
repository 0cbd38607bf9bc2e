import { withCrashPoints } from '../../lib/crash-point.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { TableChanges } from './encode/commit-buffer.ts';
import { describeTarget } from './names.ts';
import { partitionsOf } from './protocol/project-facts.ts';
import { runSql } from './protocol/sql-instance.ts';
import { tableFacts } from './protocol/table-facts.ts';
import { type Service, tunnelTarget } from './service.ts';
import { addColumns, type PartitionLevels, statementSettings, truncateTable } from './statements.ts';

/** Partitions that one statement names at most. */
const TRUNCATED_TOGETHER = 500;

/** Empties a target and adds its columns, as a commit wants it; may be repeated. Errors: ServiceError; PipelineError `table`. */
export async function alterTarget(
  { target, truncate, added }: TableChanges,
  { service, signal }: { readonly service: Service; readonly signal: AbortSignal },
): Promise<void> {
  const name = tunnelTarget(service, target.id);
  const run = (query: string) =>
    withCrashPoints('target altered', () =>
      runSql(service.rest, { ...name, query, settings: statementSettings(name) }, signal),
    );
  const facts = await tableFacts(service.rest, name, signal);
  if (facts === null)
    throw new PipelineError('table', 'Sink.TargetMismatch', `${describeTarget(target.id)} is missing`, {
      table: target.table,
      hint: 'Deploy the task again: the table is made, and loaded afresh.',
    });
  if (truncate) {
    if (facts.partitionColumns.length === 0) await run(truncateTable(name, null));
    else {
      const partitions = (await partitionsOf(service.rest, name, signal)).map(levelsOf);
      for (let from = 0; from < partitions.length; from += TRUNCATED_TOGETHER)
        await run(truncateTable(name, partitions.slice(from, from + TRUNCATED_TOGETHER)));
    }
  }
  const there = new Set(facts.columns.map((column) => column.name.toLowerCase()));
  const missing = [...added.values()].filter((column) => !there.has(column.name.toLowerCase()));
  if (missing.length > 0) await run(addColumns(name, missing));
}

/** `pt=20240101,region=cn`: no value has a comma. */
function levelsOf(spec: string): PartitionLevels {
  return spec.split(',').map((level) => {
    const at = level.indexOf('=');
    return [level.slice(0, at), level.slice(at + 1)] as const;
  });
}
