// npm run test:long -- bounds [--only transaction|packed|update|row|tables|outage] [--mb N] [--rows N] [--tables N] [--minutes N]
// [--cap MIB] [--family mariadb|mysql] --seed S: what is largest, one case after the other, each in a service of its own;
// prints the most memory that the service's process held.
import { numberAfter } from '../../scripts/run-named.ts';
import type { RunOptions } from '../../scripts/run-named.ts';
import { startServer } from '../../scripts/servers/servers.ts';
import {
  type BoundsResult,
  downTarget,
  isWithinBounds,
  largeRows,
  largeTransaction,
  largeUpdate,
  lockedTarget,
  manyTables,
} from '../support/bounds-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

/** What a campaign writes is read again at once: it need not survive a power cut. */
const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0' };

/** As is what the target keeps to recover from one. */
const SMALL_LOG = { fsync: 'off', max_wal_size: '256MB' };

export async function run({ seed, args }: RunOptions): Promise<void> {
  const wordAfter = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
  const only = wordAfter('--only');
  const family = wordAfter('--family');
  const number = (flag: string, otherwise: number) => numberAfter(args, flag) ?? otherwise;
  for (const kind of FAMILIES.filter((each) => family === undefined || each === family)) {
    const source = await startServer(kind, QUICK);
    const target = await startServer('postgres', SMALL_LOG);
    const options = { source, target, capMiB: number('--cap', 512), seed };
    const seconds = number('--minutes', 10) * 60;
    const cases: readonly (readonly [name: string, work: () => Promise<BoundsResult>])[] = [
      ['transaction', () => largeTransaction(options, { megabytes: number('--mb', 2000), packed: false })],
      ...(kind === 'mysql'
        ? [['packed', () => largeTransaction(options, { megabytes: number('--mb', 2000), packed: true })] as const]
        : []),
      ['update', () => largeUpdate(options, number('--rows', 5_000_000))],
      ['row', () => largeRows(options, number('--mb', 64))],
      ['tables', () => manyTables(options, number('--tables', 1000))],
      ['outage', () => downTarget(options, seconds)],
      ['outage', () => lockedTarget(options, seconds)],
    ];
    try {
      for (const [name, work] of cases) {
        if (only !== undefined && only !== name) continue;
        const result = await work();
        console.log(source.version, JSON.stringify(result));
        if (!isWithinBounds(result)) process.exitCode = 1;
      }
    } finally {
      await Promise.all([source.stop(), target.stop()]);
    }
  }
}
