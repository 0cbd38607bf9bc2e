// How many row changes a second go from the binary log into the target, when a backlog waits at the source.
// npm run bench -- stream-hologres [--n CHANGES] [--family mariadb|mysql]
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';
import type { RunOptions } from '../scripts/run-named.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { assertEqualTables } from './support/checksum.ts';
import { connectSource, connectTarget, createDatabase, logEnd, relaxed } from './support/connections.ts';
import { Recorder, replay } from './support/recorder.ts';
import { type Lag, LagProbe } from './support/lag-probe.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS, TARGET_SETTINGS } from './support/report.ts';
import { hologresTarget, probing, untilRow } from './support/hologres-target.ts';
import { type PipelineFigures, runPipeline } from './support/run-pipeline.ts';
import { createSteadyTableSql, SteadyLoad } from './support/steady-load.ts';
import { createTableSql, runInserts, runWorkload, USUAL } from './workload.ts';

const DATABASE = 'bench';
const LAST_ID = 4_000_000_000;
const LATENCY_WARM_UP_MS = 3000;
const LATENCY_MS = 15_000;
const CHANGES = USUAL.inserts + USUAL.updates + USUAL.deletes;

const TARGETS = {
  stagingRowsPerSecond: { atLeast: 200_000, further: 250_000 },
  fixedRowsPerSecond: { atLeast: 90_000 },
  vsCeiling: { atLeast: 0.6 },
  rssMiB: { atMost: 250 },
  p50Ms: { atMost: 20 },
  p99Ms: { atMost: 100 },
};

/** A table at the source, and the part of the log that its changes are in. */
interface Backlog {
  readonly table: string;
  readonly changes: number;
  readonly from: { readonly file: string; readonly position: number };
}

interface Stack {
  readonly source: Server;
  readonly sourceClient: Connection;
  readonly target: Server;
  readonly admin: Client;
}

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures: Record<string, unknown> = {};
  for (const family of familiesOf(args)) {
    const [source, target] = await Promise.all([
      startServer(family, SOURCE_SETTINGS),
      startServer('postgres', TARGET_SETTINGS),
    ]);
    console.log(describeConditions(source, target));
    const stack = {
      source,
      target,
      sourceClient: await connectSource(source),
      admin: await connectTarget(target),
    };
    try {
      figures[family] = await measure(stack, (n ?? CHANGES) / CHANGES, seed);
    } finally {
      await Promise.allSettled([stack.sourceClient.end(), stack.admin.end()]);
      await Promise.allSettled([source.stop(), target.stop()]);
    }
  }
  printFigures('stream-hologres', figures, TARGETS);
}

async function measure(stack: Stack, scale: number, seed: number): Promise<Record<string, number>> {
  const { sourceClient } = stack;
  await createDatabase(sourceClient, DATABASE);
  await relaxed(sourceClient, true);
  const size = {
    inserts: Math.round(USUAL.inserts * scale),
    updates: Math.round(USUAL.updates * scale),
    deletes: Math.round(USUAL.deletes * scale),
  };
  const usual = await backlog(stack, 'usual', (table) => runWorkload(sourceClient, table, size, seed));
  const noRepeat = await backlog(stack, 'no_repeat', (table) => runInserts(sourceClient, table, size.inserts, seed));
  await relaxed(sourceClient, false);

  const staging = await stream(stack, usual, 'staging');
  const fixed = await stream(stack, usual, 'fixed');
  const distinct = await stream(stack, noRepeat, 'staging');
  const lag = await latency(stack);
  const ceiling = usual.changes / (await ceilingSeconds(stack, usual));
  console.log(`  ceiling: ${Math.round(ceiling).toLocaleString('en')} row changes/s`);
  return {
    stagingRowsPerSecond: Math.round(usual.changes / staging.seconds),
    fixedRowsPerSecond: Math.round(usual.changes / fixed.seconds),
    noRepeatRowsPerSecond: Math.round(noRepeat.changes / distinct.seconds),
    ceilingRowsPerSecond: Math.round(ceiling),
    vsCeiling: Number((usual.changes / staging.seconds / ceiling).toFixed(2)),
    rssMiB: Math.max(staging.rssMiB, fixed.rssMiB, distinct.rssMiB),
    p50Ms: lag.p50,
    p99Ms: lag.p99,
  };
}

/** Makes a table and its changes; the row that comes last says that all of them arrived. */
async function backlog(
  { sourceClient }: Stack,
  table: string,
  fill: (table: string) => Promise<number>,
): Promise<Backlog> {
  await sourceClient.query(createTableSql(table));
  const from = await logEnd(sourceClient);
  const begun = performance.now();
  const changes = await fill(table);
  await sourceClient.query(`INSERT INTO ${table} VALUES (${LAST_ID}, 0, '', '', NOW(3), 0)`);
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`  backlog ${table}: ${changes.toLocaleString('en')} row changes, written in ${seconds} s`);
  return { table, changes: changes + 1, from };
}

async function stream(
  stack: Stack,
  { table, changes, from }: Backlog,
  writePath: 'staging' | 'fixed',
  targetPort?: number,
): Promise<PipelineFigures> {
  const { source, sourceClient, target, admin } = stack;
  const targetDatabase = await freshDatabase(admin);
  const figures = await runPipeline({
    source,
    database: DATABASE,
    tables: [table],
    from,
    target: hologresTarget({ target, database: targetDatabase, writePath, port: targetPort }),
    until: () => probing(target, targetDatabase, (probe) => untilRow(probe, `${DATABASE}.${table}`, LAST_ID)),
  });
  const client = await connectTarget(target, targetDatabase);
  await assertEqualTables(sourceClient, client, table, `${DATABASE}.${table}`);
  await client.end();
  const { seconds, rssMiB, cpu } = figures;
  const rate = Math.round(changes / seconds).toLocaleString('en');
  console.log(
    `  ${table}, ${writePath}${targetPort === undefined ? '' : ', recorded'}: ${rate} row changes/s; ${seconds.toFixed(1)} s; peak RSS ${rssMiB} MiB; ` +
      `CPU s ours ${cpu.ours.toFixed(1)}, source ${cpu.source.toFixed(1)}, target ${cpu.target.toFixed(1)}`,
  );
  return figures;
}

/** From a row's clock at its writer, so with the commit at the source, until it is seen at the target; 1,000 row changes a second. */
async function latency({ source, sourceClient, target, admin }: Stack): Promise<Lag> {
  const tables = ['steady1', 'steady2', 'steady3'];
  for (const table of tables) await sourceClient.query(createSteadyTableSql(table));
  const from = await logEnd(sourceClient);
  const targetDatabase = await freshDatabase(admin);
  const connections = await Promise.all(tables.map(() => connectSource(source)));
  let lag: Lag | undefined;
  const until = async (client: Client) => {
    for (const connection of connections) await connection.query(`USE ${DATABASE}`);
    const loads = tables.map((table, index) => new SteadyLoad(connections[index] ?? sourceClient, table));
    for (const table of tables) await untilRow(client, `${DATABASE}.${table}`, 1);
    const probe = new LagProbe(
      client,
      tables.map((table) => `${DATABASE}.${table}`),
    );
    await sleep(LATENCY_WARM_UP_MS);
    probe.take();
    await sleep(LATENCY_MS);
    lag = probe.take();
    await probe.stop();
    for (const load of loads) await load.stop();
  };
  await runPipeline({
    source,
    database: DATABASE,
    tables,
    from,
    target: hologresTarget({ target, database: targetDatabase, writePath: 'staging' }),
    until: () => probing(target, targetDatabase, until),
  });
  for (const connection of connections) await connection.end();
  if (lag === undefined) throw new Error('no row was seen');
  console.log(`  latency at 1,000 row changes/s: ${JSON.stringify(lag)}`);
  return lag;
}

/** The time that the target alone needs for the same bytes and statements: recorded from a run, and sent again ready-made. */
async function ceilingSeconds(stack: Stack, backlog: Backlog): Promise<number> {
  const recorder = await Recorder.open(stack.target.port);
  await stream(stack, backlog, 'staging', recorder.port);
  recorder.close();
  const database = await freshDatabase(stack.admin);
  const seconds = await replay(recorder.turns, () => connectTarget(stack.target, database));
  const client = await connectTarget(stack.target, database);
  await assertEqualTables(stack.sourceClient, client, backlog.table, `${DATABASE}.${backlog.table}`);
  await client.end();
  return seconds;
}

let databases = 0;

/** What is on its way to the disks goes there first, so that no run pays for what was before it. */
async function freshDatabase(admin: Client): Promise<string> {
  databases += 1;
  const name = `bench_${databases}`;
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.query('CHECKPOINT');
  execFileSync('sync');
  return name;
}
