// What streaming costs when the same changes are spread over many tables.
// npm run bench -- tables [--n CHANGES] [--family mariadb|mysql]
import { execFileSync } from 'node:child_process';
import type { Connection } from 'mysql2/promise';
import type { RunOptions } from '../scripts/run-named.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { connectSource, connectTarget, createDatabase, logEnd, relaxed } from './support/connections.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS, TARGET_SETTINGS } from './support/report.ts';
import { hologresTarget, probing, untilRow } from './support/hologres-target.ts';
import { runPipeline } from './support/run-pipeline.ts';
import { createTableSql, runInserts } from './workload.ts';

const DATABASE = 'bench';
const LAST_ID = 4_000_000_000;
const COUNTS = [1, 100, 1000];
const CHANGES = 1_000_000;
/** Each table has its turn so often. */
const TURNS = 10;

const TARGETS = { thousandVsOne: { atLeast: 0.8 } };

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures: Record<string, unknown> = {};
  for (const family of familiesOf(args)) {
    const [source, target] = await Promise.all([
      startServer(family, { ...SOURCE_SETTINGS, table_open_cache: '4000' }),
      startServer('postgres', { ...TARGET_SETTINGS, max_locks_per_transaction: '256' }),
    ]);
    console.log(describeConditions(source, target));
    const client = await connectSource(source);
    try {
      await relaxed(client, true);
      const rates: Record<string, number> = {};
      for (const count of COUNTS)
        rates[`rowsPerSecond${count}`] = await measure(source, client, target, count, n ?? CHANGES, seed);
      const { rowsPerSecond1: one = 1, rowsPerSecond1000: thousand = 0 } = rates;
      figures[family] = { ...rates, thousandVsOne: Number((thousand / one).toFixed(2)) };
    } finally {
      await client.end();
      await Promise.allSettled([source.stop(), target.stop()]);
    }
  }
  printFigures('tables', figures, TARGETS);
}

async function measure(
  source: Server,
  client: Connection,
  target: Server,
  count: number,
  changes: number,
  seed: number,
): Promise<number> {
  const database = `${DATABASE}_${count}`;
  await createDatabase(client, database);
  const tables = Array.from({ length: count }, (_, index) => `t${index}`);
  for (const table of tables) await client.query(createTableSql(table));
  const from = await logEnd(client);
  const perTurn = Math.max(1, Math.round(changes / count / TURNS));
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const table of tables) await runInserts(client, table, perTurn, seed, 1 + turn * perTurn);
  await client.query(`INSERT INTO t0 VALUES (${LAST_ID}, 0, '', '', NOW(3), 0)`);
  execFileSync('sync');

  const admin = await connectTarget(target);
  const targetDatabase = `target_${count}`;
  await admin.query(`CREATE DATABASE ${targetDatabase}`);
  await admin.query('CHECKPOINT');
  await admin.end();
  const { seconds, rssMiB, cpu } = await runPipeline({
    source,
    database,
    tables,
    from,
    target: hologresTarget({ target, database: targetDatabase, writePath: 'staging' }),
    until: () => probing(target, targetDatabase, (probe) => untilRow(probe, `${database}.t0`, LAST_ID)),
  });
  const check = await connectTarget(target, targetDatabase);
  const counts = tables.map((table) => `SELECT count(*) AS n FROM ${database}.${table}`).join(' UNION ALL ');
  const { rows } = await check.query<{ n: string }>(`SELECT sum(n)::text AS n FROM (${counts}) AS each_table`);
  await check.end();
  const written = perTurn * TURNS * count + 1;
  if (Number(rows[0]?.n) !== written) throw new Error(`${rows[0]?.n} of ${written} rows are at the target`);
  const rate = Math.round(written / seconds);
  console.log(
    `  ${count} tables: ${rate.toLocaleString('en')} row changes/s; ${seconds.toFixed(1)} s; peak RSS ${rssMiB} MiB; ` +
      `CPU s ours ${cpu.ours.toFixed(1)}, source ${cpu.source.toFixed(1)}, target ${cpu.target.toFixed(1)}`,
  );
  return rate;
}
