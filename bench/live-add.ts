// What three tables that stream notice of a fourth one being added, and how fast its rows are loaded meanwhile.
// npm run bench -- live-add [--n ROWS] [--family mariadb|mysql]
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunOptions } from '../scripts/run-named.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { assertEqualTables } from './support/checksum.ts';
import { connectSource, connectTarget, createDatabase, relaxed } from './support/connections.ts';
import { LagProbe, percentiles } from './support/lag-probe.ts';
import { peakRssMiB } from './support/process-facts.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS, TARGET_SETTINGS } from './support/report.ts';
import { Service } from './support/service.ts';
import { createSteadyTableSql, SteadyLoad } from './support/steady-load.ts';
import { SyncTask } from './support/sync-task.ts';
import { createTableSql, runInserts } from './workload.ts';

const DATABASE = 'bench';
const OTHERS = ['s1', 's2', 's3'];
const ADDED = 'added';
const REFERENCE_MS = 10_000;

const TARGETS = {
  othersP99LagMs: { atMost: 150 },
  othersMaxLagMs: { atMost: 500 },
  snapshotRowsPerSecond: { atLeast: 100_000 },
};

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures: Record<string, unknown> = {};
  for (const family of familiesOf(args)) {
    const [source, target] = await Promise.all([
      startServer(family, SOURCE_SETTINGS),
      startServer('postgres', TARGET_SETTINGS),
    ]);
    console.log(describeConditions(source, target));
    try {
      figures[family] = await measure(source, target, n ?? 1_000_000, seed);
    } finally {
      await Promise.allSettled([source.stop(), target.stop()]);
    }
  }
  printFigures('live-add', figures, TARGETS);
}

async function measure(source: Server, target: Server, rows: number, seed: number): Promise<Record<string, number>> {
  const client = await connectSource(source);
  await createDatabase(client, DATABASE);
  await relaxed(client, true);
  for (const table of OTHERS) await client.query(createSteadyTableSql(table));
  await client.query(createTableSql(ADDED));
  await runInserts(client, ADDED, rows, seed);
  await relaxed(client, false);
  execFileSync('sync');

  const service = await Service.start(profiling());
  const targetClient = await connectTarget(target);
  const probeClient = await connectTarget(target);
  try {
    const task = await SyncTask.start(service.endpoint, source, target, DATABASE, OTHERS);
    await task.untilStreaming(OTHERS);
    const loads = await Promise.all(
      OTHERS.map(async (table) => {
        const connection = await connectSource(source);
        await connection.query(`USE ${DATABASE}`);
        return new SteadyLoad(connection, table);
      }),
    );
    const changes = () => loads.reduce((sum, load) => sum + load.changes, 0);
    const probe = new LagProbe(
      probeClient,
      OTHERS.map((table) => `${DATABASE}.${table}`),
    );
    const commits = () => percentiles(loads.flatMap((load) => load.commits.splice(0)));
    await sleep(3000);
    probe.take();
    commits();
    const changesBefore = changes();
    await sleep(REFERENCE_MS);
    const reference = probe.take();
    const commitsBefore = commits();
    const rate = (changes() - changesBefore) / (REFERENCE_MS / 1000);

    await task.change([...OTHERS, ADDED]);
    const begun = performance.now();
    await task.untilStreaming([...OTHERS, ADDED]);
    const seconds = (performance.now() - begun) / 1000;
    const lag = probe.take();
    const commitsMeanwhile = commits();
    const rssMiB = peakRssMiB(service.pid);
    await sleep(500);
    await probe.stop();
    for (const load of loads) await load.stop();
    await assertEqualTables(client, targetClient, ADDED, `${DATABASE}.${ADDED}`);
    console.log(
      `  ${Math.round(rate)} row changes/s; peak RSS of the service ${rssMiB} MiB; ${rows} rows loaded in ${seconds.toFixed(1)} s\n` +
        `  before: lag ${JSON.stringify(reference)}, of it the commit at the source ${JSON.stringify(commitsBefore)}\n` +
        `  meanwhile: lag ${JSON.stringify(lag)}, of it the commit at the source ${JSON.stringify(commitsMeanwhile)}`,
    );
    return {
      othersP99LagMs: lag.p99,
      othersMaxLagMs: lag.max,
      snapshotRowsPerSecond: Math.round(rows / seconds),
      othersP50LagMs: lag.p50,
      beforeP50LagMs: reference.p50,
      beforeP99LagMs: reference.p99,
      beforeMaxLagMs: reference.max,
      sourceCommitP99Ms: commitsMeanwhile.p99,
      sourceCommitMaxMs: commitsMeanwhile.max,
      rssMiB,
    };
  } finally {
    await service.stop();
    await Promise.allSettled([targetClient.end(), probeClient.end()]);
    client.destroy();
  }
}

/** BENCH_PROFILE names a folder that processor profiles are written to. */
function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}
