import { CodedError, type ErrorFacts } from '../lib/errors.ts';
import type { HostRefused } from '../lib/host-policy.ts';
import type { TableId } from './table.ts';

/**
 * What the engine does about it:
 * `transient` back off and resume from the checkpoint; `table` that table fails alone; `fatal` the run stops and says
 * why; `dirty` a row that the sink cannot take, counted against the limit.
 */
export type PipelineErrorKind = 'transient' | 'table' | 'fatal' | 'dirty';

export interface PipelineErrorFacts extends ErrorFacts {
  /** Given with kind `table` and `dirty`: which one. */
  table?: TableId;
}

/** An error of the data plane, classified by the code that met the vendor's error number. Carries no row value (I7). */
export class PipelineError extends CodedError {
  override readonly name = 'PipelineError';
  readonly kind: PipelineErrorKind;
  readonly table: TableId | undefined;

  constructor(kind: PipelineErrorKind, code: string, message: string, facts: PipelineErrorFacts = {}) {
    super(code, message, facts);
    this.kind = kind;
    this.table = facts.table;
  }
}

/** A host that may not be connected to: the run stops, because only its settings can change that. */
export function hostRefused(error: HostRefused, doing: string, facts: PipelineErrorFacts = {}): PipelineError {
  const { code, message, hint } = error;
  return new PipelineError('fatal', code, `${doing}: ${message}`, { ...facts, cause: error, hint });
}
