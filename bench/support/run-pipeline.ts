import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import type { Server } from '../../scripts/servers/servers.ts';
import { sinks } from '../../src/connectors/index.ts';
import { connectForQueries } from '../../src/connectors/mysql/connect.ts';
import { mysqlConnector } from '../../src/connectors/mysql/connector.ts';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import { readSchema, type SchemaEntry } from '../../src/connectors/mysql/schema.ts';
import { readServerFacts } from '../../src/connectors/mysql/server-facts.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { JsonObject } from '../../src/lib/json-value.ts';
import type { StoredCheckpoint } from '../../src/engine/engine.ts';
import type { PipelineDef } from '../../src/pipeline/pipeline-def.ts';
import type { TargetId } from '../../src/pipeline/route.ts';
import type { TableId } from '../../src/pipeline/table.ts';
import { DEFAULT_DDL_POLICIES, DEFAULT_FAILOVER_LIMIT } from '../../src/pipeline/policies.ts';
import type { PipelineMessage, StartMessage } from './pipeline-process.ts';
import { cpuSeconds, peakRssMiB } from './process-facts.ts';
import { sourceContent } from './report.ts';
import { MemoryJournals } from '../../test/support/memory-journals.ts';

export interface PipelineOptions {
  readonly source: Server;
  readonly database: string;
  readonly tables: readonly string[];
  /** Where the log is read from, of tables that are loaded already; null loads them and begins with the log's end. */
  readonly from: { readonly file: string; readonly position: number } | null;
  readonly reader?: JsonObject;
  readonly target: PipelineTarget;
  /** Resolves once the pipeline has done what is measured. */
  until(): Promise<void>;
}

/** Where a pipeline writes. */
export interface PipelineTarget {
  readonly pid: number;
  readonly sink: PipelineDef['sink'];
  /** Where a table goes. */
  readonly targetOf: (table: TableId) => TargetId;
}

export interface PipelineFigures {
  readonly seconds: number;
  readonly rssMiB: number;
  /** Processor seconds: of our process, of the source, of the target. */
  readonly cpu: { readonly ours: number; readonly source: number; readonly target: number };
}

/**
 * Runs the pipeline in a process of its own until what is waited for is there. The time begins before the worker thread is
 * made.
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineFigures> {
  const { source, target } = options;
  const message = await startMessage(options);
  const child = fork(join(import.meta.dirname, 'pipeline-process.ts'), {
    serialization: 'advanced',
    execArgv: profiling(),
  });
  try {
    const failed = new Promise<never>((_, reject) => {
      child.on('message', (news: PipelineMessage) => {
        if (news.kind === 'failed') reject(new Error(news.message));
      });
      child.once('exit', (code) => reject(new Error(`the pipeline ended with code ${code}`)));
    });
    failed.catch(() => {});
    await Promise.race([heard(child, 'ready'), failed]);
    const before = { source: cpuSeconds(source.pid), target: cpuSeconds(target.pid), ours: cpuSeconds(child.pid ?? 0) };
    const started = heard(child, 'started');
    child.send(message);
    await Promise.race([started, failed]);
    const begun = performance.now();
    await Promise.race([options.until(), failed]);
    const seconds = (performance.now() - begun) / 1000;
    const rssMiB = peakRssMiB(child.pid ?? 0);
    const cpu = {
      ours: cpuSeconds(child.pid ?? 0) - before.ours,
      source: cpuSeconds(source.pid) - before.source,
      target: cpuSeconds(target.pid) - before.target,
    };
    const stopped = heard(child, 'stopped');
    const exited = once(child, 'exit');
    child.send('stop');
    await Promise.race([stopped, failed]);
    await exited; // a profile is written then
    return { seconds, rssMiB, cpu };
  } finally {
    if (child.connected) child.kill('SIGKILL');
  }
}

/** BENCH_PROFILE names a folder that processor profiles are written to. */
function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

function heard(child: ChildProcess, kind: PipelineMessage['kind']): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', (message: PipelineMessage) => {
      if (message.kind === kind) resolve();
    });
  });
}

let pipelines = 0;

/** With the checkpoint that a run would have saved which had loaded the tables and streamed up to `from`. */
async function startMessage(options: PipelineOptions): Promise<StartMessage> {
  const { source, database, tables, from, target } = options;
  const settings = mysqlConnector.parseSettings(sourceContent(source, database), DEFAULT_HOST_POLICY);
  const connection = await connectForQueries(asMysqlSettings(settings));
  const ids = tables.map((table) => ({ database, table }));
  const facts = await readServerFacts(connection);
  const entries = await readSchema(connection, facts, ids);
  connection.close();
  pipelines += 1; // a sink may hold the checkpoint of the one before
  const owner = { installation: 'bench', task: String(pipelines), incarnation: '1' };
  const def: PipelineDef = {
    owner,
    version: 1,
    source: {
      name: 'source',
      type: mysqlConnector.type,
      settings,
      options: mysqlConnector.parseOptions(options.reader ?? {}),
    },
    sink: target.sink,
    routes: ids.map((id) => ({
      table: id,
      target: target.targetOf(id),
      load: from === null ? 'full' : 'none',
      since: 1,
    })),
    policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: DEFAULT_FAILOVER_LIMIT },
    start: null,
    filled: [],
  };
  if (from === null) return { def, from: null };
  const progressOf = (entry: SchemaEntry) => {
    if (entry.kind !== 'table') throw new Error('a table cannot be captured');
    const { table: shape } = entry;
    const resume = { shape, from, cursor: null, load: 'none', emptyFirst: false, rowBytes: 0 };
    const table = shape.version.id;
    return { table, state: 'STREAMING', chunksDone: 0, chunksAll: 0, rows: 0, failure: null, resume };
  };
  await makeTargets(def, entries);
  const stored = {
    checkpoint: {
      sequence: 0,
      offset: { server: facts.identity, ...from, fileBegun: 0, skipEvents: 0 },
      version: 1,
      tables: entries.map(progressOf),
    },
    heldBySink: false,
  };
  return { def, from: stored as unknown as StoredCheckpoint };
}

/** As tables are that were loaded. */
async function makeTargets(def: PipelineDef, entries: readonly SchemaEntry[]): Promise<void> {
  const { settings, options } = def.sink;
  const { owner, policies } = def;
  const sink = sinks.get(def.sink.type)?.open({
    settings,
    options,
    sourceName: def.source.name,
    owner,
    policies,
    memoryBytes: 128 << 20,
    journal: new MemoryJournals().of(owner),
    log: silentLog,
  });
  if (sink === undefined) throw new Error(`there is no connector for ${def.sink.type}`);
  await sink.recover();
  const tables = entries.flatMap((entry, index) => {
    const target = def.routes[index]?.target;
    return entry.kind === 'table' && target !== undefined ? [{ table: entry.table.version, target }] : [];
  });
  const [failed] = await sink.prepare(tables);
  await sink.close();
  if (failed !== undefined) throw failed.error;
}
