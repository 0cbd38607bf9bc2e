// How fast the log is read into JSON bytes and into COPY bytes, beside merely receiving it and beside the usual reader of npm.
// npm run bench -- decode [--n CHANGES] [--family mariadb|mysql]
import type { Connection } from 'mysql2/promise';
import type { RunOptions } from '../scripts/run-named.ts';
import type { Server } from '../scripts/servers/servers.ts';
import { type Backlog, fillUsual, inProcess, orderOf } from './support/backlog.ts';
import { logEnd } from './support/connections.ts';
import type { DecodeWay } from './support/decode-process.ts';
import { measureEachFamily } from './support/each-family.ts';
import { median } from './support/median.ts';
import { printFigures } from './support/report.ts';
import { randomOf, USUAL } from './workload.ts';

const CHANGES = USUAL.inserts + USUAL.updates + USUAL.deletes;
const ROUNDS = 3;
const TARGETS = {
  jsonRowsPerSecond: { atLeast: 1_400_000 },
  jsonVsZongji: { atLeast: 12 },
  jsonVsReceive: { atLeast: 0.5 },
  copyVsReceive: { atLeast: 0.7 },
  rssMiB: { atMost: 120 },
};

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const scale = (n ?? CHANGES) / CHANGES;
  const figures = await measureEachFamily(args, async (source, client) => {
    // Each is measured while the log ends with it: who merely receives has nothing else to stop at.
    const usual = await fillUsual(client, scale, seed);
    const figure = await measure(source, usual, ['receive', 'json', 'copy', 'zongji']);
    const wide = await fillRows(client, 'wide', WIDE, Math.round(200_000 * scale), seed);
    const wideFigure = await measure(source, wide, ['receive', 'json', 'copy']);
    const narrow = await fillRows(client, 'narrow', NARROW, Math.round(3_000_000 * scale), seed);
    const narrowFigure = await measure(source, narrow, ['receive', 'json', 'copy']);
    return { ...figure, wide: wideFigure, narrow: narrowFigure };
  });
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
  const rate = (way: DecodeWay) => median(rates.get(way) ?? []);
  const ratio = (a: DecodeWay, b: DecodeWay) => Number((rate(a) / rate(b)).toFixed(2));
  return {
    jsonRowsPerSecond: Math.round(rate('json')),
    ...(ways.includes('zongji') ? { jsonVsZongji: ratio('json', 'zongji') } : {}),
    jsonVsReceive: ratio('json', 'receive'),
    copyVsReceive: ratio('copy', 'receive'),
    copyRowsPerSecond: Math.round(rate('copy')),
    rssMiB,
  };
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
