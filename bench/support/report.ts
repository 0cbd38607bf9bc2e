import { cpus, loadavg, totalmem } from 'node:os';
import type { Server } from '../../scripts/servers/servers.ts';

export type Figures = Readonly<Record<string, number>>;

/** What a figure is of: the machine, what else it does, and the servers. */
export function describeConditions(...servers: readonly Server[]): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const versions = [...servers.map(({ version }) => version), `Node ${process.version}`].join(', ');
  return `${versions}; ${machine}; load average of the last minute ${loadavg()[0]?.toFixed(1)}`;
}

/** What every bench prints as its last line, for machines to read. */
export function printFigures(
  bench: string,
  figures: Readonly<Record<string, unknown>>,
  targets: Readonly<Record<string, unknown>>,
): void {
  console.log(JSON.stringify({ bench, figures, targets }));
}

/** The families that `--family` names; both without it. */
export function familiesOf(args: readonly string[]): readonly ('mariadb' | 'mysql')[] {
  const family = args[args.indexOf('--family') + 1];
  if (!args.includes('--family')) return ['mariadb', 'mysql'];
  if (family !== 'mariadb' && family !== 'mysql') throw new Error('--family wants mariadb or mysql');
  return [family];
}

/** Durable, and with room: what a target of some size has. */
export const TARGET_SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '1GB',
  max_wal_size: '4GB',
  synchronous_commit: 'on',
};

export const SOURCE_SETTINGS: Readonly<Record<string, string>> = { innodb_buffer_pool_size: '1G' };

/** The source as a data source of the API says it. */
export function sourceContent({ port, user, password }: Server, database: string) {
  return { jdbcUrl: `jdbc:mysql://127.0.0.1:${port}/${database}`, username: user, password };
}

/** The target as a data source of the API says it. */
export function targetContent({ port, user, password }: Server, database: string) {
  return { endpoint: `127.0.0.1:${port}`, database, accessId: user, accessKey: password };
}
