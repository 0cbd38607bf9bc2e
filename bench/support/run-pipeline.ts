import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../../scripts/servers/servers.ts';
import { hologresConnector } from '../../src/connectors/hologres/connector.ts';
import { connectForQueries } from '../../src/connectors/mysql/connect.ts';
import { mysqlConnector } from '../../src/connectors/mysql/connector.ts';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import { readSchema } from '../../src/connectors/mysql/schema.ts';
import { readServerFacts } from '../../src/connectors/mysql/server-facts.ts';
import type { StoredCheckpoint } from '../../src/engine/engine.ts';
import type { PipelineDef } from '../../src/pipeline/pipeline-def.ts';
import { DEFAULT_DDL_POLICIES, DEFAULT_FAILOVER_LIMIT } from '../../src/pipeline/policies.ts';
import { connectTarget } from './connections.ts';
import type { PipelineMessage, StartMessage } from './pipeline-process.ts';
import { cpuSeconds, peakRssMiB } from './process-facts.ts';
import { sourceContent, targetContent } from './report.ts';

export interface PipelineOptions {
  readonly source: Server;
  readonly database: string;
  readonly table: string;
  /** Where the log is read from. */
  readonly from: { readonly file: string; readonly position: number };
  readonly target: Server;
  readonly targetDatabase: string;
  /** Another port leads to the same server. */
  readonly targetPort?: number;
  readonly writePath: 'staging' | 'fixed';
  /** The key of the row that comes last. */
  readonly lastId: number;
}

export interface PipelineFigures {
  readonly seconds: number;
  readonly rssMiB: number;
  /** Processor seconds: of our process, of the source, of the target. */
  readonly cpu: { readonly ours: number; readonly source: number; readonly target: number };
}

/**
 * Runs the pipeline in a process of its own, from a place in the log until the row that comes last is at the target, where
 * a connection of ours looks for it. The time begins before the worker thread is made.
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineFigures> {
  const { source, target } = options;
  const message = await startMessage(options);
  const probe = await connectTarget(target, options.targetDatabase);
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
    const last = `SELECT 1 FROM "${options.database}"."${options.table}" WHERE id = ${options.lastId}`;
    const arrived = async () => {
      for (;;) {
        const { rows } = await probe.query(last).catch(() => ({ rows: [] })); // the table is not there at first
        if (rows.length > 0) return;
        await sleep(10);
      }
    };
    await Promise.race([arrived(), failed]);
    const seconds = (performance.now() - begun) / 1000;
    const rssMiB = peakRssMiB(child.pid ?? 0);
    const cpu = {
      ours: cpuSeconds(child.pid ?? 0) - before.ours,
      source: cpuSeconds(source.pid) - before.source,
      target: cpuSeconds(target.pid) - before.target,
    };
    const stopped = heard(child, 'stopped');
    child.send('stop');
    await Promise.race([stopped, failed]);
    return { seconds, rssMiB, cpu };
  } finally {
    await probe.end();
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

/** The checkpoint that a run would have saved which had loaded the table and streamed up to `from`. */
async function startMessage(options: PipelineOptions): Promise<StartMessage> {
  const { source, database, table, from, target, targetDatabase, writePath } = options;
  const settings = mysqlConnector.parseSettings(sourceContent(source, database));
  const connection = await connectForQueries(asMysqlSettings(settings));
  const id = { database, table };
  const facts = await readServerFacts(connection);
  const [entry] = await readSchema(connection, facts, [id]);
  connection.close();
  if (entry?.kind !== 'table') throw new Error(`${table} cannot be captured`);
  const content = targetContent(target, targetDatabase);
  const endpoint = options.targetPort === undefined ? content.endpoint : `127.0.0.1:${options.targetPort}`;
  const owner = { installation: 'bench', task: '1', incarnation: '1' };
  const def: PipelineDef = {
    owner,
    version: 1,
    source: { type: mysqlConnector.type, settings, options: mysqlConnector.parseOptions({}) },
    sink: {
      type: hologresConnector.type,
      settings: hologresConnector.parseSettings({ ...content, endpoint }),
      options: hologresConnector.parseOptions({ writePath }),
    },
    routes: [{ table: id, target: { schema: database, table }, load: 'none', since: 1 }],
    policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: DEFAULT_FAILOVER_LIMIT },
    startTime: null,
    filled: [],
  };
  const resume = { shape: entry.table, from, cursor: null, load: 'none', emptyFirst: false, rowBytes: 0 };
  const stored = {
    checkpoint: {
      sequence: 0,
      offset: { server: facts.identity, ...from, fileBegun: 0, skipEvents: 0 },
      version: 1,
      tables: [{ table: id, state: 'STREAMING', chunksDone: 0, chunksAll: 0, rows: 0, failure: null, resume }],
    },
    heldBySink: false,
  };
  return { def, from: stored as unknown as StoredCheckpoint };
}
