// How fast the existing rows of one table are loaded, beside the server's own dump to nowhere, and beside the target taking the
// same bytes ready-made.
// npm run bench -- snapshot [--n ROWS] [--family mariadb|mysql]
import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';
import type { RunOptions } from '../scripts/run-named.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { assertEqualTables } from './support/checksum.ts';
import { connectSource, connectTarget, createDatabase, relaxed } from './support/connections.ts';
import { Recorder, replay } from './support/recorder.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS, TARGET_SETTINGS } from './support/report.ts';
import { hologresTarget, probing } from './support/hologres-target.ts';
import { type PipelineFigures, runPipeline } from './support/run-pipeline.ts';
import { createTableSql, runInserts } from './workload.ts';

const DATABASE = 'bench';
const TABLE = 'loaded';
const TARGET_TABLE = `${DATABASE}.${TABLE}`;
const ROWS = 10_000_000;
/** The bytes of a recorded run are held in memory: the reference is made of so many rows at most. */
const RECORDED_ROWS = 2_000_000;

const TARGETS = {
  /** 0.8 of the slower of the two. */
  vsSlower: { atLeast: 0.8 },
};

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures: Record<string, unknown> = {};
  for (const family of familiesOf(args)) {
    const [source, target] = await Promise.all([
      startServer(family, SOURCE_SETTINGS),
      startServer('postgres', TARGET_SETTINGS),
    ]);
    console.log(describeConditions(source, target));
    const [client, admin] = [await connectSource(source), await connectTarget(target)];
    try {
      await createDatabase(client, DATABASE);
      await relaxed(client, true);
      figures[family] = await measure({ source, client, target, admin }, n ?? ROWS, seed);
    } finally {
      await Promise.allSettled([client.end(), admin.end()]);
      await Promise.allSettled([source.stop(), target.stop()]);
    }
  }
  printFigures('snapshot', figures, TARGETS);
}

interface Stack {
  readonly source: Server;
  readonly client: Connection;
  readonly target: Server;
  readonly admin: Client;
}

async function measure(stack: Stack, rows: number, seed: number): Promise<Record<string, number>> {
  await fill(stack.client, Math.min(rows, RECORDED_ROWS), seed);
  const merged = await copyAndMerge(stack);
  await stack.client.query(`DROP TABLE ${TABLE}`);
  await fill(stack.client, rows, seed);
  const loaded = await load(stack);
  const rate = rows / loaded.seconds;
  const dump = rows / (await dumpSeconds(stack.source));
  console.log(
    `  ${Math.round(rate).toLocaleString('en')} rows/s loaded; dump ${Math.round(dump).toLocaleString('en')}, ` +
      `copy and merge ${Math.round(merged).toLocaleString('en')}; peak RSS ${loaded.rssMiB} MiB; ` +
      `CPU s ours ${loaded.cpu.ours.toFixed(1)}, source ${loaded.cpu.source.toFixed(1)}, target ${loaded.cpu.target.toFixed(1)}`,
  );
  return {
    rowsPerSecond: Math.round(rate),
    vsDump: Number((rate / dump).toFixed(2)),
    vsCopyMerge: Number((rate / merged).toFixed(2)),
    vsSlower: Number((rate / Math.min(dump, merged)).toFixed(2)),
    rssMiB: loaded.rssMiB,
  };
}

async function fill(client: Connection, rows: number, seed: number): Promise<void> {
  await client.query(createTableSql(TABLE));
  await runInserts(client, TABLE, rows, seed);
  await client.query(`ANALYZE TABLE ${TABLE}`);
  execFileSync('sync');
}

let databases = 0;

async function freshDatabase(admin: Client): Promise<string> {
  databases += 1;
  const name = `bench_${databases}`;
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.query('CHECKPOINT');
  execFileSync('sync');
  return name;
}

/** Loads the table into a database of its own, and compares the two. */
async function load({ source, client, target, admin }: Stack, targetPort?: number): Promise<PipelineFigures> {
  const targetDatabase = await freshDatabase(admin);
  const [[last]] = (await client.query(`SELECT MAX(id) id FROM ${TABLE}`)) as unknown as [{ id: number }[]];
  const until = async (probe: Client) => {
    // Chunks follow the key: the last row comes last.
    const sql = `SELECT 1 FROM ${TARGET_TABLE} WHERE id = ${last?.id}`;
    while ((await probe.query(sql).catch(() => ({ rows: [] }))).rows.length === 0) await sleep(10);
  };
  const figures = await runPipeline({
    source,
    database: DATABASE,
    tables: [TABLE],
    from: null,
    target: hologresTarget({ target, database: targetDatabase, writePath: 'staging', port: targetPort }),
    until: () => probing(target, targetDatabase, until),
  });
  const reader = await connectTarget(target, targetDatabase);
  await assertEqualTables(client, reader, TABLE, TARGET_TABLE);
  await reader.end();
  if (targetPort === undefined) await admin.query(`DROP DATABASE ${targetDatabase}`);
  return figures;
}

/** Rows a second that the target takes when the bytes and statements of a load are sent to it again, ready-made. */
async function copyAndMerge(stack: Stack): Promise<number> {
  const recorder = await Recorder.open(stack.target.port);
  await load(stack, recorder.port);
  recorder.close();
  const database = await freshDatabase(stack.admin);
  const seconds = await replay(recorder.turns, () => connectTarget(stack.target, database));
  const client = await connectTarget(stack.target, database);
  const { rows } = await client.query<{ n: string }>(`SELECT count(*)::text AS n FROM ${TARGET_TABLE}`);
  await client.end();
  return Number(rows[0]?.n) / seconds;
}

/** MariaDB's tool, which reads MySQL too: one SELECT over the whole table, to nowhere. */
async function dumpSeconds(source: Server): Promise<number> {
  const begun = performance.now();
  const child = spawn(
    'mariadb-dump',
    [
      '--no-defaults',
      '--protocol=tcp',
      '--host=127.0.0.1',
      `--port=${source.port}`,
      `--user=${source.user}`,
      '--single-transaction',
      '--quick',
      '--no-create-info',
      DATABASE,
      TABLE,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, MYSQL_PWD: source.password } },
  );
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new Error(`the dump ended with ${code}`);
  return (performance.now() - begun) / 1000;
}
