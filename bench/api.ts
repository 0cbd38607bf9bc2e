// Signed requests to the service on one processor, with many tasks stored, beside a bare Fastify route in the same run.
// npm run bench -- api [--n REQUESTS] [--tasks TASKS] [--connections N]
import { execFile, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SERVICE_FLAGS } from '../scripts/node24.mjs';
import { numberAfter, type RunOptions } from '../scripts/run-named.ts';
import type { LoadOrder, LoadResult } from './support/api-load.ts';
import { fillStore, TASK_PARAM } from './support/api-store.ts';
import { median } from './support/median.ts';
import { CAN_PIN, pin } from './support/pinned.ts';
import { ReadyProcess } from './support/ready-process.ts';
import { describeConditions, printFigures } from './support/report.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const SUPPORT = join(import.meta.dirname, 'support');
const PROJECT = 10_000;
const ROUNDS = 3;
const IDLE_MS = 5000;
const TARGETS = {
  vsBare: { atLeast: 0.35 },
  p99Ms: { atMost: 10 },
  startMs: { atMost: 2000 },
  idleRssMiB: { atMost: 150 },
};

type Key = Pick<LoadOrder, 'accessKeyId' | 'accessKeySecret'>;

export async function run({ n, args }: RunOptions): Promise<void> {
  const requests = n ?? 30_000;
  const tasks = numberAfter(args, '--tasks') ?? 10_000;
  const connections = numberAfter(args, '--connections') ?? 32;
  console.log(
    `${describeConditions()}; ${CAN_PIN ? 'the server on one processor, the load on another' : 'not pinned'}`,
  );
  const home = mkdtempSync(join(tmpdir(), 'disync-bench-api-'));
  const folder = join(home, 'data');
  const silent = await listenInSilence();
  try {
    const key = await makeKey(folder);
    const from = await fillStore({ folder, project: BigInt(PROJECT), tasks, source: silent });
    const common = { ...key, connections, parameters: { ProjectId: String(PROJECT), TaskType: 'DI_REALTIME' } };
    const read = { ...common, requests, action: 'GetDISyncTask', id: { name: 'FileId', from, count: tasks } };
    const figures = await measure(folder, read, {
      ...common,
      requests: Math.ceil(requests / 4),
      action: 'GenerateDISyncTaskConfigForUpdating',
      parameters: { ...common.parameters, TaskParam: TASK_PARAM },
      id: { name: 'TaskId', from, count: tasks },
    });
    printFigures('api', figures, TARGETS);
  } finally {
    await silent.close();
    rmSync(home, { recursive: true, force: true });
  }
}

type Order = Omit<LoadOrder, 'port'>;

async function measure(folder: string, read: Order, generate: Order): Promise<Record<string, number>> {
  const unlimited = ['--reads-per-second', '0', '--writes-per-second', '0'];
  const serve = [...profiling(), ...SERVICE_FLAGS, MAIN, 'serve', '--port', '0', '--data-dir', folder, ...unlimited];
  const starts: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const service = await ReadyProcess.start('disync', serve);
    starts.push(service.startMs);
    await service.stop();
  }
  const service = await ReadyProcess.start('disync', serve);
  try {
    await sleep(IDLE_MS);
    const idleRssMiB = service.rssMiB;
    const { bytesPerAnswer } = await load({ ...read, requests: Math.ceil(read.requests / 5) }, service);
    const reads: Loaded[] = [];
    const bare: Loaded[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const fastify = await ReadyProcess.start('fastify', [join(SUPPORT, 'bare-fastify.ts'), String(bytesPerAnswer)]);
      await load({ ...read, requests: Math.ceil(read.requests / 5) }, fastify);
      bare.push(await load(read, fastify));
      await fastify.stop();
      reads.push(await load(read, service));
    }
    const generated = await load(generate, service);
    const rate = middle(reads, perSecond);
    return {
      readsPerSecond: Math.round(rate),
      vsBare: Number((rate / middle(bare, perSecond)).toFixed(2)),
      vsBareCpu: Number((middle(reads, perCpuSecond) / middle(bare, perCpuSecond)).toFixed(2)),
      p99Ms: middle(reads, ({ p99Ms }) => p99Ms),
      p50Ms: middle(reads, ({ p50Ms }) => p50Ms),
      barePerSecond: Math.round(middle(bare, perSecond)),
      bareP99Ms: middle(bare, ({ p99Ms }) => p99Ms),
      generatesPerSecond: Math.round(perSecond(generated)),
      generateP99Ms: generated.p99Ms,
      startMs: Math.round(starts.toSorted((a, b) => a - b)[starts.length >> 1] ?? 0),
      idleRssMiB,
      loadedRssMiB: service.rssMiB,
      bytesPerAnswer,
    };
  } finally {
    await service.stop();
  }
}

interface Loaded extends LoadResult {
  /** Answers per processor second of the server: the same on a busy machine. */
  readonly perCpuSecond: number;
}

/** One way of asking, from a process of its own. Errors: Error when anything but a success was answered. */
async function load(order: Order, server: ReadyProcess): Promise<Loaded> {
  const child = fork(join(SUPPORT, 'api-load.ts'));
  pin(1, child.pid ?? 0);
  try {
    const message = () =>
      new Promise<unknown>((resolve, reject) => {
        child.once('message', resolve);
        child.once('exit', (code) => reject(new Error(`the load ended with code ${code}`)));
      });
    child.send({ ...order, port: server.port } satisfies LoadOrder);
    await message();
    const before = server.cpuSeconds;
    child.send('go');
    const result = (await message()) as LoadResult;
    if (result.failures > 0) throw new Error(`${result.failures} answers are no success, the first: ${result.failure}`);
    const perCpuSecond = result.answers / (server.cpuSeconds - before);
    const [rate, cpuRate] = [perSecond(result), perCpuSecond].map((value) => Math.round(value).toLocaleString('en'));
    console.log(
      `  ${server.name}, ${order.action}: ${rate}/s, ${cpuRate} per CPU second; p50 ${result.p50Ms}, p99 ${result.p99Ms} ms`,
    );
    return { ...result, perCpuSecond };
  } finally {
    if (child.connected) child.disconnect();
  }
}

/** Made as an operator does it. */
async function makeKey(folder: string): Promise<Key> {
  const cli = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--data-dir', folder]);
    return stdout;
  };
  await cli('project', 'create', String(PROJECT));
  return JSON.parse(await cli('key', 'create', '--project', String(PROJECT))) as Key;
}

/** A source that accepts connections and says nothing: what plans wait for costs nothing. */
async function listenInSilence(): Promise<{ host: string; port: number; close(): Promise<void> }> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, close: async () => void server.close() };
}

function perSecond({ answers, seconds }: LoadResult): number {
  return answers / seconds;
}

function perCpuSecond(loaded: Loaded): number {
  return loaded.perCpuSecond;
}

function middle(results: readonly Loaded[], of: (result: Loaded) => number): number {
  return median(results.map(of));
}

function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}
