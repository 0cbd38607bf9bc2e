// Logs that a process of its own reads, and the process.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import type { Server } from '../../scripts/servers/servers.ts';
import { connectForQueries } from '../../src/connectors/mysql/connect.ts';
import { mysqlConnector } from '../../src/connectors/mysql/connector.ts';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import { readSchema } from '../../src/connectors/mysql/schema.ts';
import { readServerFacts } from '../../src/connectors/mysql/server-facts.ts';
import type { SourceTable } from '../../src/pipeline/source.ts';
import { createTableSql, runWorkload, USUAL } from '../workload.ts';
import { logEnd } from './connections.ts';
import type { DecodeOrder, DecodeResult } from './decode-process.ts';
import { peakRssMiB } from './process-facts.ts';
import { sourceContent } from './report.ts';

export const DATABASE = 'bench';
/** As much as the worker of a run has: three of these. */
const YOUNG = '--max-semi-space-size=4';

/** A table, its changes in the log, and the types of its columns at a target. */
export interface Backlog {
  readonly table: string;
  readonly from: { readonly file: string; readonly position: number };
  readonly changes: number;
  readonly columns: DecodeOrder['columns'];
}

export async function inProcess(order: DecodeOrder): Promise<{ result: DecodeResult; rss: number }> {
  const folder = process.env['BENCH_PROFILE'];
  const child = fork(join(import.meta.dirname, 'decode-process.ts'), {
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

export async function orderOf(
  source: Server,
  { table, from, changes, columns }: Backlog,
): Promise<Omit<DecodeOrder, 'way'>> {
  const settings = mysqlConnector.parseSettings(sourceContent(source, DATABASE), DEFAULT_HOST_POLICY);
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

export async function fillUsual(client: Connection, scale: number, seed: number): Promise<Backlog> {
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
