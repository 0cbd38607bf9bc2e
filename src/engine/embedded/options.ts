import type { CrashPoint } from '../../lib/crash-point.ts';
import type { Logger } from '../../lib/log.ts';
import type { CheckpointStore, JournalStore, RunListener } from '../engine.ts';

export interface EmbeddedEngineOptions {
  readonly store: CheckpointStore;
  readonly journals: JournalStore;
  readonly listener: RunListener;
  readonly log: Logger;
  /** MiB that one run may take, its JavaScript heap and its buffers together. */
  readonly memoryMb: number;
  /** Where a worker ends the process; for tests. */
  readonly crashPoint: CrashPoint | null;
  /** The module with the list of connectors that a worker opens. */
  readonly connectors: URL;
}
