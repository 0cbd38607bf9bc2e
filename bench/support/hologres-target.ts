import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import type { Server } from '../../scripts/servers/servers.ts';
import { hologresConnector } from '../../src/connectors/hologres/connector.ts';
import { connectTarget } from './connections.ts';
import { targetContent } from './report.ts';
import type { PipelineTarget } from './run-pipeline.ts';

export interface HologresTargetOptions {
  readonly target: Server;
  readonly database: string;
  readonly writePath: 'staging' | 'fixed';
  /** Another port leads to the same server. */
  readonly port?: number | undefined;
}

/** A database of a PostgreSQL server, where a pipeline writes. */
export function hologresTarget({ target, database, writePath, port }: HologresTargetOptions): PipelineTarget {
  const content = targetContent(target, database);
  const endpoint = port === undefined ? content.endpoint : `127.0.0.1:${port}`;
  return {
    pid: target.pid,
    sink: {
      name: 'target',
      type: hologresConnector.type,
      settings: hologresConnector.parseSettings({ ...content, endpoint }, DEFAULT_HOST_POLICY),
      options: hologresConnector.parseOptions({ writePath }),
    },
    targetOf: (table) => ({ schema: table.database, table: table.table }),
  };
}

/** Runs `work` with a connection of its own. */
export async function probing(target: Server, database: string, work: (probe: Client) => Promise<void>): Promise<void> {
  const probe = await connectTarget(target, database);
  try {
    await work(probe);
  } finally {
    await probe.end();
  }
}

/** Waits for the row that comes last. */
export async function untilRow(probe: Client, table: string, id: number): Promise<void> {
  for (;;) {
    // The table is not there at first.
    const { rows } = await probe.query(`SELECT 1 FROM ${table} WHERE id = ${id}`).catch(() => ({ rows: [] }));
    if (rows.length > 0) return;
    await sleep(10);
  }
}
