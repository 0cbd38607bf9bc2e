import { withCrashPoints } from '../../lib/crash-point.ts';
import type { Checkpoint, CheckpointOwner } from '../../pipeline/checkpoint.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { Sink } from '../../pipeline/sink.ts';
import type { CheckpointStore, StoredCheckpoint } from '../engine.ts';

/**
 * Where to go on: a sink that holds the checkpoint together with the rows is the truth about its rows, even when our copy
 * is newer – re-reading the log from there is exact. Else our own store's, also where it went on while the sink was not to
 * hold any. Null at a first start.
 * Errors: PipelineError `fatal` when the sink held it and has lost it: its rows cannot be trusted either.
 */
export async function recoverCheckpoint(
  sink: Sink,
  store: CheckpointStore,
  owner: CheckpointOwner,
): Promise<Checkpoint | null> {
  const held = await withCrashPoints('checkpoint recovered', () => sink.recover());
  const stored = await store.load(owner);
  if (held !== null) return isOutrun(held, stored) ? stored.checkpoint : held;
  if (stored === null) return null;
  if (stored.heldBySink && sink.holdsCheckpoint) {
    throw new PipelineError(
      'fatal',
      'Checkpoint.Missing',
      'the target held the checkpoint of this task and no longer has it: was it emptied or restored?',
      {
        hint: 'Terminate the task and start it again: the tables are loaded afresh.',
      },
    );
  }
  return stored.checkpoint;
}

/** The sink holds one of before a time in which it was not to hold any. */
function isOutrun(held: Checkpoint, stored: StoredCheckpoint | null): stored is StoredCheckpoint {
  return stored !== null && !stored.heldBySink && stored.checkpoint.sequence > held.sequence;
}
