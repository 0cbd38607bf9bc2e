import { Gauge, Registry } from 'prom-client';
import type { RunStatus } from './engine.ts';

/** What /metrics says of the runs: read off their status whenever it is asked for. */
export class RunMetrics {
  readonly #registry = new Registry();
  readonly #statuses: () => ReadonlyMap<string, RunStatus>;
  readonly #gauges: readonly { readonly gauge: Gauge; readonly read: (status: RunStatus) => number | null }[];
  readonly #tables: Gauge;

  constructor(statuses: () => ReadonlyMap<string, RunStatus>) {
    this.#statuses = statuses;
    const gauge = (name: string, help: string, read: (status: RunStatus) => number | null) => ({
      gauge: new Gauge({ name: `disync_${name}`, help, labelNames: ['task'], registers: [this.#registry] }),
      read,
    });
    this.#gauges = [
      gauge('run_up', '1 while the run moves changes, 0 while it waits for its next try', ({ phase }) =>
        phase === 'running' ? 1 : 0,
      ),
      gauge('lag_seconds', 'age of the oldest change that is not durable at the sink', ({ lagMs }) =>
        lagMs === null ? null : lagMs / 1000,
      ),
      gauge('held_seconds', 'age of the oldest change that waits at the source for its outcome (XA)', ({ heldMs }) =>
        heldMs === null ? null : heldMs / 1000,
      ),
      gauge('rows_read_total', 'row changes taken from the source since the run started', ({ rowsRead }) => rowsRead),
      gauge('rows_written_total', 'rows written to the sink after merging by key', ({ rowsWritten }) => rowsWritten),
      gauge('bytes_read_total', 'bytes of the log taken from the source', ({ bytesRead }) => bytesRead),
      gauge('dirty_rows_total', 'rows that the sink could not take', ({ dirtyRows }) => dirtyRows),
      gauge('failovers_total', 'outages that the run went through', ({ failovers }) => failovers),
      gauge('checkpoint_timestamp_seconds', 'time of the last checkpoint', ({ checkpointAt }) =>
        checkpointAt === null ? null : checkpointAt / 1000,
      ),
      gauge('next_try_timestamp_seconds', 'time of the next try, while the run waits', ({ nextTryAt }) =>
        nextTryAt === null ? null : nextTryAt / 1000,
      ),
      gauge('applied_version', 'task version whose tables have been applied', ({ appliedVersion }) => appliedVersion),
    ];
    this.#tables = new Gauge({
      name: 'disync_tables',
      help: 'tables of the run by state',
      labelNames: ['task', 'state'],
      registers: [this.#registry],
    });
  }

  async render(): Promise<{ contentType: string; body: string }> {
    this.#registry.resetMetrics();
    for (const [task, status] of this.#statuses()) {
      for (const { gauge, read } of this.#gauges) {
        const value = read(status);
        if (value !== null) gauge.set({ task }, value);
      }
      for (const { state } of status.tables) this.#tables.inc({ task, state });
    }
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}
