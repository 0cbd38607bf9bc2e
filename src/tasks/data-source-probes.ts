import { messageOf } from '../lib/errors.ts';
import type { CataloguePage } from '../pipeline/catalogue.ts';
import type { DataSourceConnector } from '../pipeline/connector.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import { failed, skipped, type Stage, type StageName } from '../pipeline/stages.ts';
import { connectorType, readSettings, type Surroundings } from './connections.ts';
import { TaskError } from './task-error.ts';
import type { StoredDataSource } from './task-store.ts';

/** Callers wait for the answer: clients give up after 30 s. */
const PROBE_TIMEOUT_MS = 20_000;

/** Looks at the server behind a data source, for a bounded time. */
export class DataSourceProbes {
  readonly #surroundings: Surroundings;
  readonly #timeoutMs: number;

  constructor(surroundings: Surroundings, timeoutMs = PROBE_TIMEOUT_MS) {
    this.#surroundings = surroundings;
    this.#timeoutMs = timeoutMs;
  }

  /** Errors: TaskError `wrong-state` when the server cannot be asked. */
  async catalogue(source: StoredDataSource, page: { offset: number; limit: number }): Promise<CataloguePage> {
    const { connector, settings } = this.#open(source);
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await Promise.race([connector.readCatalogue({ settings, ...page, signal }), aborted(signal)]);
    } catch (error) {
      throw unreadable(error, this.#late(signal));
    }
  }

  /** Every stage there is: those behind a failure are skipped, and one that does not end in time failed. */
  async stages(source: StoredDataSource): Promise<readonly Stage[]> {
    const { connector, settings } = this.#open(source);
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const found: Stage[] = [];
    const stages = connector.probe({ settings, signal });
    try {
      for (;;) {
        const next = await Promise.race([stages.next(), aborted(signal)]);
        if (next.done === true) break;
        found.push(next.value);
      }
    } catch (error) {
      // A stage that hangs may never hear that nobody waits for it.
      void stages.return(undefined).catch(() => {});
      const stage = connector.probeStages[found.length];
      if (stage !== undefined) found.push(failed(stage, this.#late(signal) ?? error, LATE_REMEDY));
    }
    return [...found, ...missing(connector.probeStages, found)];
  }

  #open({ type, subType, content }: StoredDataSource) {
    const { sources, sinks } = this.#surroundings.connectors;
    const kind = connectorType(type, subType);
    const { settings } = readSettings(this.#surroundings, kind, content);
    const connector: DataSourceConnector | undefined = sources.get(kind) ?? sinks.get(kind);
    if (connector === undefined) throw new Error(`there is no connector of type ${kind}`);
    return { connector, settings };
  }

  #late(signal: AbortSignal): Error | null {
    return signal.aborted ? new Error(`no answer within ${Math.ceil(this.#timeoutMs / 1000)} s`) : null;
  }
}

const LATE_REMEDY = 'Look for what holds the server up, and for the network between.';

function missing(all: readonly StageName[], found: readonly Stage[]): Stage[] {
  return all
    .filter((stage) => !found.some((one) => one.stage === stage))
    .map((stage) => skipped(stage, 'not tried, because of what failed before'));
}

function unreadable(error: unknown, late: Error | null): TaskError {
  const { code, hint } = error instanceof PipelineError && late === null ? error : { code: null, hint: undefined };
  const why = `read data source ${late === null ? 'failed' : 'time out'}: ${messageOf(late ?? error)}`;
  return new TaskError('wrong-state', code ?? 'DataSource.Unreadable', why, { hint: hint ?? LATE_REMEDY });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the time is over')), { once: true });
  });
}
