import { withinTime } from '../lib/within-time.ts';
import type { TableList } from '../pipeline/connector.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import { connectorType, readSettings, resolveDataSource, resolveEnabled, type Surroundings } from './connections.ts';
import type { ProjectId, TaskId } from './ids.ts';
import { type PlanEnds, PlanFailure, planTask, problemOf } from './plan-task.ts';
import { ROUTES, type WantedTask } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import type { Caller } from './task-service.ts';
import type { ProcessResult, StoredDataSource, TaskRecords, TaskStore } from './task-store.ts';

/** A server that does not answer ends the planning. */
const PLAN_TIMEOUT_MS = 60_000;

export interface PlannerOptions extends Surroundings {
  readonly store: TaskStore;
  /** How long both servers may take to answer. */
  readonly timeoutMs?: number;
}

/** What begins needs data sources that are enabled, and shared with its user; what was allowed before goes on. */
export type EndsUse = { readonly kind: 'begins'; readonly user: string } | { readonly kind: 'goes-on' };

/**
 * Plans versions: looks up the data sources of a wanted task, then asks both servers. `endsAt`, where a caller waits for several
 * questions together, is when it must have an answer, as `performance.now()` tells it.
 */
export class Planner {
  readonly #options: PlannerOptions;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** Errors: PlanFailure whose message says all that is wrong; anything else is a defect, or the store's. */
  async plan(request: {
    project: ProjectId;
    /** For whom: some data sources are shared with single users. */
    user: string;
    wanted: WantedTask;
    task: TaskId | null;
    baseVersion: number;
    processId: bigint | null;
    endsAt?: number;
  }): Promise<ProcessResult> {
    const { project, user, wanted, task, baseVersion, processId, endsAt } = request;
    const { store } = this.#options;
    try {
      const ends = await this.ends(project, wanted, { kind: 'begins', user });
      const { base, filled } = await store.transaction(async (records) => ({
        base: task === null ? null : await records.version(task, baseVersion),
        filled: task === null ? [] : await records.filledTargets(task),
      }));
      return await this.#inTime(endsAt, (signal) => planTask({ wanted, ends, base, filled, processId, signal }));
    } catch (error) {
      throw toFailure(error);
    }
  }

  /** The tables of a source, and the database that it names by itself. Errors: PlanFailure. */
  async tablesOf(
    { project, user }: Caller,
    wanted: Pick<WantedTask, 'sourceName' | 'sinkName' | 'route'>,
    { isListed, endsAt }: { readonly isListed: boolean; readonly endsAt: number },
  ): Promise<{ list: TableList | null; ownDatabase: string | null }> {
    try {
      const { source } = await this.ends(project, wanted, { kind: 'begins', user });
      const { connector, settings } = source;
      const ownDatabase = connector.defaultDatabase(settings);
      if (!isListed) return { list: null, ownDatabase };
      const list = await this.#inTime(endsAt, (signal) => connector.listTables({ settings, signal }));
      return { list, ownDatabase };
    } catch (error) {
      throw error instanceof PipelineError ? new PlanFailure([problemOf(error)]) : toFailure(error);
    }
  }

  /** Also when `work` does not listen to its signal: a plan always ends. */
  #inTime<T>(endsAt: number | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const most = this.#options.timeoutMs ?? PLAN_TIMEOUT_MS;
    const ms = endsAt === undefined ? most : Math.min(most, Math.max(0, endsAt - performance.now()));
    return withinTime({ ms, late: () => late(ms) }, work);
  }

  /** The two ends of a task as they are registered now. Errors: TaskError. */
  async ends(
    project: ProjectId,
    { sourceName, sinkName, route }: Pick<WantedTask, 'sourceName' | 'sinkName' | 'route'>,
    use: EndsUse,
  ): Promise<PlanEnds> {
    const { store, connectors } = this.#options;
    const [source, sink] = await store.transaction(
      async (records) =>
        [await resolve(records, project, sourceName, use), await resolve(records, project, sinkName, use)] as const,
    );
    const sourceType = connectorType(source.type, source.subType);
    const sinkType = connectorType(sink.type, sink.subType);
    const reader = connectors.sources.get(sourceType);
    const writer = connectors.sinks.get(sinkType);
    if (reader === undefined)
      throw new TaskError(
        'invalid',
        'DataSource.WrongType',
        `datasource:[${sourceName}] is of type ${source.type}; a reader needs one of ${[...connectors.sources.keys()].join(', ')}.`,
      );
    if (writer === undefined || sinkType !== ROUTES[route])
      throw new TaskError(
        'invalid',
        'DataSource.WrongType',
        `datasource:[${sinkName}] is of type ${sink.type}; the route ${route} needs ${ROUTES[route]}.`,
      );
    return {
      source: { connector: reader, settings: readSettings(this.#options, sourceType, source.content).settings },
      sink: { connector: writer, settings: readSettings(this.#options, sinkType, sink.content).settings },
    };
  }
}

function resolve(records: TaskRecords, project: ProjectId, name: string, use: EndsUse): Promise<StoredDataSource> {
  return use.kind === 'begins'
    ? resolveEnabled(records, project, name, { user: use.user })
    : resolveDataSource(records, project, name);
}

function late(ms: number): PlanFailure {
  return new PlanFailure([
    {
      code: 'Task.PlanTimeout',
      message: `the servers did not answer within ${Math.ceil(ms / 1000)} seconds`,
      remedy: 'Look for locks and long statements there, and for the network between, then plan again.',
    },
  ]);
}

/** What stands in the way; a defect, or a store that cannot be read, stays what it is. */
function toFailure(error: unknown): unknown {
  if (error instanceof TaskError) {
    const remedy = error.hint ?? 'Correct it, then plan again.';
    return new PlanFailure([{ code: error.code, message: error.message, remedy }]);
  }
  return error;
}
