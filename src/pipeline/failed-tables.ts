import type { Checkpoint, Failure } from './checkpoint.ts';
import type { PipelineError } from './pipeline-error.ts';
import type { FailedTables } from './sink.ts';
import { tableKey } from './table.ts';

export function failureOf(error: PipelineError): Failure {
  return { code: error.code, message: error.message, remedy: error.hint ?? null };
}

/**
 * A checkpoint that says of tables left out of its commit that they failed: rows that were not written are behind its
 * offset, and after a crash nothing else would tell (I3).
 */
export function withFailed(checkpoint: Checkpoint, failed: FailedTables): Checkpoint {
  if (failed.length === 0) return checkpoint;
  const failures = new Map(failed.map(({ table, error }) => [tableKey(table), failureOf(error)]));
  return {
    ...checkpoint,
    tables: checkpoint.tables.map((progress) => {
      const failure = failures.get(tableKey(progress.table));
      return failure === undefined || progress.state === 'REMOVED'
        ? progress
        : { ...progress, state: 'FAILED', failure };
    }),
  };
}
