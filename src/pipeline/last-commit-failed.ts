import { PipelineError } from './pipeline-error.ts';

/** What a sink says between a commit that failed and its recovery: whatever it holds may be there or not. */
export function lastCommitFailed(): PipelineError {
  return new PipelineError(
    'transient',
    'Sink.Unavailable',
    'the last commit failed: recover, and read again from the checkpoint',
    { hint: 'The run tries again by itself.' },
  );
}
