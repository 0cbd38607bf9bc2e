import { PipelineError } from '../../../pipeline/pipeline-error.ts';

const HINT = 'It is read again. If it stays so, the log file on the server is damaged: start the task with a new load.';

/** Bytes of the log that no server writes, whether or not their sum is right. `what` names the part, never a value. */
export class CorruptEvent extends PipelineError {
  constructor(what: string) {
    super('transient', 'MySQL.BinlogCorrupt', what, { hint: HINT });
  }
}

/** The same error with the place of the log that it is about; every other error passes as it is. */
export function withPlace(error: unknown, place: string): unknown {
  if (!(error instanceof CorruptEvent)) return error;
  return new PipelineError(error.kind, error.code, `the event that ends at ${place} is damaged: ${error.message}`, {
    cause: error,
    hint: HINT,
  });
}
