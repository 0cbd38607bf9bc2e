// How fast the log is read into JSON bytes and into COPY bytes, beside merely receiving it and beside the usual reader of npm.
// npm run bench -- decode [--n CHANGES] [--family mariadb|mysql]
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { connectForQueries } from '../src/connectors/mysql/connect.ts';
import { mysqlConnector } from '../src/connectors/mysql/connector.ts';
import { asMysqlSettings } from '../src/connectors/mysql/options.ts';
import { readSchema } from '../src/connectors/mysql/schema.ts';
import { readServerFacts } from '../src/connectors/mysql/server-facts.ts';
import type { SourceTable } from '../src/pipeline/source.ts';
import { connectSource, logEnd, relaxed } from './support/connections.ts';
import type { DecodeOrder, DecodeResult, DecodeWay } from './support/decode-process.ts';
import { peakRssMiB } from './support/process-facts.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS, sourceContent } from './support/report.ts';
import { createTableSql, randomOf, runWorkload, USUAL } from './workload.ts';

const DATABASE = 'bench';
const CHANGES = USUAL.inserts + USUAL.updates + USUAL.deletes;
const ROUNDS = 3;
/** As much as the worker of a run has: three of these. */
const YOUNG = '--max-semi-space-size=4';

const TARGETS = {
  jsonRowsPerSecond: { atLeast: 1_400_000 },
  jsonVsZongji: { atLeast: 12 },
  jsonVsReceive: { atLeast: 0.5 },
  copyVsReceive: { atLeast: 0.7 },
  rssMiB: { atMost: 120 },
};

/** A table, its changes in the log, and the types of its columns at a target. */
interface Backlog {
  readonly table: string;
  readonly from: { readonly file: string; readonly position: number };
  readonly changes: number;
  readonly columns: DecodeOrder['columns'];
}

export async function run({
  n,
  seed,
  args,
}: {
  n: number | null;
  seed: number;
  args: readonly string[];
}): Promise<void> {
  const figures: Record<string, unknown> = {};
  for (const family of familiesOf(args)) {
    const source = await startServer(family, SOURCE_SETTINGS);
    console.log(describeConditions(source));
    const client = await connectSource(source);
    try {
      await client.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
      await client.query(`USE ${DATABASE}`);
      await relaxed(client, true);
      const scale = (n ?? CHANGES) / CHANGES;
      // Each is measured while the log ends with it: who merely receives has nothing else to stop at.
      const usual = await fillUsual(client, scale, seed);
      const figure = await measure(source, usual, ['receive', 'json', 'copy', 'zongji']);
      const wide = await fillRows(client, 'wide', WIDE, Math.round(200_000 * scale), seed);
      const wideFigure = await measure(source, wide, ['receive', 'json', 'copy']);
      const narrow = await fillRows(client, 'narrow', NARROW, Math.round(3_000_000 * scale), seed);
      const narrowFigure = await measure(source, narrow, ['receive', 'json', 'copy']);
      figures[family] = { ...figure, wide: wideFigure, narrow: narrowFigure };
    } finally {
      await client.end();
      await source.stop();
    }
  }
  printFigures('decode', figures, TARGETS);
}

async function measure(source: Server, backlog: Backlog, ways: readonly DecodeWay[]): Promise<Record<string, number>> {
  const order = await orderOf(source, backlog);
  const rates = new Map<DecodeWay, number[]>();
  let rssMiB = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of ways) {
      if (way === 'zongji' && round > 0) continue; // it takes ten times as long as all others together
      const { result, rss } = await inProcess({ ...order, way });
      if (result.rows !== backlog.changes) throw new Error(`${way} read ${result.rows} of ${backlog.changes} changes`);
      if (way === 'json' || way === 'copy') rssMiB = Math.max(rssMiB, rss);
      const rate = result.rows / result.seconds;
      rates.set(way, [...(rates.get(way) ?? []), rate]);
      console.log(
        `  ${backlog.table}, ${way}: ${Math.round(rate).toLocaleString('en')} row changes/s, ` +
          `${Math.round(result.rows / result.cpuSeconds).toLocaleString('en')} per CPU second; ` +
          `${Math.round(result.bytes / 2 ** 20)} MiB; peak RSS ${rss} MiB`,
      );
    }
  }
  const median = (way: DecodeWay) => {
    const sorted = (rates.get(way) ?? []).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  };
  const ratio = (a: DecodeWay, b: DecodeWay) => Number((median(a) / median(b)).toFixed(2));
  return {
    jsonRowsPerSecond: Math.round(median('json')),
    ...(ways.includes('zongji') ? { jsonVsZongji: ratio('json', 'zongji') } : {}),
    jsonVsReceive: ratio('json', 'receive'),
    copyVsReceive: ratio('copy', 'receive'),
    copyRowsPerSecond: Math.round(median('copy')),
    rssMiB,
  };
}

async function inProcess(order: DecodeOrder): Promise<{ result: DecodeResult; rss: number }> {
  const folder = process.env['BENCH_PROFILE'];
  const child = fork(join(import.meta.dirname, 'support/decode-process.ts'), {
    serialization: 'advanced',
    execArgv: [YOUNG, ...(folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}/${order.way}`])],
  });
  try {
    const answer = new Promise<DecodeResult>((resolve, reject) => {
      child.once('message', (message) => resolve(message as DecodeResult));
      child.once('exit', (code) => reject(new Error(`the reading process ended with code ${code}`)));
    });
    child.send(order);
    const result = await answer;
    return { result, rss: peakRssMiB(child.pid ?? 0) };
  } finally {
    if (child.connected) child.disconnect();
  }
}

async function orderOf(source: Server, { table, from, changes, columns }: Backlog): Promise<Omit<DecodeOrder, 'way'>> {
  const settings = mysqlConnector.parseSettings(sourceContent(source, DATABASE));
  const connection = await connectForQueries(asMysqlSettings(settings));
  const id = { database: DATABASE, table };
  const facts = await readServerFacts(connection);
  const [entry] = await readSchema(connection, facts, [id]);
  connection.close();
  if (entry?.kind !== 'table') throw new Error(`${table} cannot be captured`);
  const resume = { shape: entry.table, from, cursor: null, load: 'none', emptyFirst: false, rowBytes: 0 };
  const progress = { table: id, state: 'STREAMING', chunksDone: 0, chunksAll: 0, rows: 0, failure: null, resume };
  return {
    settings,
    table: { id, shape: entry.table.version, load: 'none', progress, emptyFirst: false } as unknown as SourceTable,
    columns,
    offset: { server: facts.identity, ...from, fileBegun: 0, skipEvents: 0 },
    changes,
  };
}

async function fillUsual(client: Connection, scale: number, seed: number): Promise<Backlog> {
  await client.query(createTableSql('usual'));
  const from = await logEnd(client);
  const changes = await runWorkload(
    client,
    'usual',
    {
      inserts: Math.round(USUAL.inserts * scale),
      updates: Math.round(USUAL.updates * scale),
      deletes: Math.round(USUAL.deletes * scale),
    },
    seed,
  );
  const columns = [
    ['id', 'int8'],
    ['k', 'int4'],
    ['c', 'text'],
    ['pad', 'text'],
    ['updated_at', 'timestamp'],
    ['amount', 'numeric'],
  ] as const;
  return { table: 'usual', from, changes, columns };
}

type ColumnDef = readonly [name: string, mysqlType: string, baseType: string, value: (random: () => number) => string];

const number = (max: number) => (random: () => number) => String(Math.floor(random() * max));
const words = (random: () => number) => `'${'the quick brown fox '.repeat(1 + Math.floor(random() * 3))}'`;

const NARROW: readonly ColumnDef[] = ['a', 'b', 'c'].map((name) => [name, 'INT NOT NULL', 'int4', number(2e9)]);

const WIDE: readonly ColumnDef[] = Array.from({ length: 59 }, (_, index): ColumnDef => {
  const name = `c${index}`;
  switch (index % 8) {
    case 0:
      return [name, 'INT', 'int4', number(2e9)];
    case 1:
      return [name, 'VARCHAR(80)', 'text', words];
    case 2:
      return [name, 'DECIMAL(18,4)', 'numeric', (random) => (random() * 1e9).toFixed(4)];
    case 3:
      return [name, 'DATETIME(6)', 'timestamp', () => 'NOW(6)'];
    case 4:
      return [name, 'BIGINT', 'int8', number(9e15)];
    case 5:
      return [name, 'DOUBLE', 'float8', (random) => String(random())];
    case 6:
      return [name, 'DATE', 'date', () => "'2026-11-25'"];
    default:
      return [name, 'VARCHAR(20)', 'text', (random) => (random() < 0.5 ? 'NULL' : "'short'")];
  }
});

async function fillRows(
  client: Connection,
  table: string,
  columns: readonly ColumnDef[],
  rows: number,
  seed: number,
): Promise<Backlog> {
  await client.query(
    `CREATE TABLE ${table} (id INT PRIMARY KEY, ${columns.map(([name, type]) => `${name} ${type}`).join(', ')})`,
  );
  const from = await logEnd(client);
  const random = randomOf(seed);
  for (let id = 1; id <= rows; ) {
    const until = Math.min(rows, id + 199);
    const values: string[] = [];
    for (; id <= until; id += 1) values.push(`(${[id, ...columns.map((column) => column[3](random))].join(',')})`);
    await client.query(`INSERT INTO ${table} VALUES ${values.join(',')}`);
  }
  const types = columns.map(([name, , baseType]) => [name, baseType] as const);
  return { table, from, changes: rows, columns: [['id', 'int4'], ...types] };
}
