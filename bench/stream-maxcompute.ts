// How many row changes a second go from the binary log into committed sessions of MaxCompute's tunnel, compressed, when a backlog
// waits at the source: as Delta tables, and as logs. The tunnel is a stand-in in a process of its own, on the same machine, that
// throws rows away and checks CRCs, types and buckets of every fiftieth block only (support/tunnel-process.ts).
// npm run bench -- stream-maxcompute [--n CHANGES] [--family mariadb|mysql] [--type delta|log] [--compression deflate|zstd|none]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunOptions } from '../scripts/run-named.ts';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { maxComputeConnector } from '../src/connectors/maxcompute/connector.ts';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import { connectSource, createDatabase, logEnd, relaxed } from './support/connections.ts';
import { describeConditions, familiesOf, printFigures, SOURCE_SETTINGS } from './support/report.ts';
import { runPipeline } from './support/run-pipeline.ts';
import { CREDENTIAL, PROJECT, type TunnelFigures } from './support/tunnel-facts.ts';
import { createTableSql, runWorkload, USUAL } from './workload.ts';

const DATABASE = 'bench';
const TABLE = 'usual';
/** A row of it comes last. */
const END = 'usual_end';
const CHANGES = USUAL.inserts + USUAL.updates + USUAL.deletes;
const TYPES = ['delta', 'log'] as const;
const TARGETS = { rowsPerSecond: { atLeast: 150_000 }, rssMiB: { atMost: 300 } };

interface Backlog {
  readonly source: Server;
  readonly changes: number;
  readonly from: { readonly file: string; readonly position: number };
}

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const figures: Record<string, unknown> = {};
  const given = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
  for (const family of familiesOf(args)) {
    const source = await startServer(family, SOURCE_SETTINGS);
    console.log(describeConditions(source));
    try {
      const backlog = await makeBacklog(source, (n ?? CHANGES) / CHANGES, seed);
      const of: Record<string, unknown> = {};
      for (const tableType of TYPES.filter((type) => type === (given('--type') ?? type)))
        of[tableType] = await stream(backlog, { tableType, compression: given('--compression') ?? 'deflate' });
      figures[family] = of;
    } finally {
      await source.stop();
    }
  }
  printFigures('stream-maxcompute', figures, TARGETS);
}

async function makeBacklog(source: Server, scale: number, seed: number): Promise<Backlog> {
  const client = await connectSource(source);
  await createDatabase(client, DATABASE);
  await relaxed(client, true);
  await client.query(createTableSql(TABLE));
  await client.query(`CREATE TABLE ${END} (id INT PRIMARY KEY)`);
  const from = await logEnd(client);
  const size = {
    inserts: Math.round(USUAL.inserts * scale),
    updates: Math.round(USUAL.updates * scale),
    deletes: Math.round(USUAL.deletes * scale),
  };
  const changes = await runWorkload(client, TABLE, size, seed);
  await client.query(`INSERT INTO ${END} VALUES (1)`);
  await client.end();
  console.log(`  backlog: ${changes.toLocaleString('en')} row changes`);
  return { source, changes: changes + 1, from };
}

async function stream({ source, changes, from }: Backlog, options: { tableType: string; compression: string }) {
  const tunnel = fork(join(import.meta.dirname, 'support', 'tunnel-process.ts'));
  try {
    const [{ url }] = (await once(tunnel, 'message')) as [TunnelFigures];
    const { seconds, rssMiB, cpu } = await runPipeline({
      source,
      database: DATABASE,
      tables: [TABLE, END],
      from,
      target: {
        pid: tunnel.pid ?? 0,
        sink: {
          name: 'target',
          type: maxComputeConnector.type,
          settings: maxComputeConnector.parseSettings(
            { endpoint: `${url}/api`, project: PROJECT, ...CREDENTIAL },
            DEFAULT_HOST_POLICY,
          ),
          options: maxComputeConnector.parseOptions({ commitIntervalSeconds: 1, ...options }),
        },
        targetOf: ({ table }) => ({ schema: '', table }),
      },
      until: async () => {
        while (((await ask(tunnel)).rows[END] ?? 0) === 0) await sleep(20);
      },
    });
    const { rows, bytes, blocks } = await ask(tunnel);
    const rowsPerSecond = Math.round(changes / seconds);
    console.log(
      `  ${options.tableType}, ${options.compression}: ${rowsPerSecond.toLocaleString('en')} row changes/s, ` +
        `${(bytes / seconds / 2 ** 20).toFixed(0)} MiB/s in ${blocks} blocks, ${(rows[TABLE] ?? 0).toLocaleString('en')} rows; ` +
        `${seconds.toFixed(1)} s; peak RSS ${rssMiB} MiB; ` +
        `CPU s ours ${cpu.ours.toFixed(1)}, source ${cpu.source.toFixed(1)}, tunnel ${cpu.target.toFixed(1)}`,
    );
    return { rowsPerSecond, rssMiB };
  } finally {
    tunnel.kill('SIGKILL');
  }
}

async function ask(tunnel: ChildProcess): Promise<TunnelFigures> {
  const answer = once(tunnel, 'message') as Promise<[TunnelFigures]>;
  tunnel.send('figures');
  return (await answer)[0];
}
