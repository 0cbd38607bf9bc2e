// npm run test:long -- differential --rows N --seed S [--family mariadb|mysql]: row changes of random tables against the
// server's own tool and SELECT; N changes in all, half of them on each family.
import { numberAfter } from '../../scripts/run-named.ts';
import type { RunOptions } from '../../scripts/run-named.ts';
import { startServer } from '../../scripts/servers/servers.ts';
import { differentialCampaign } from '../support/differential-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

/** What a campaign writes is read again at once: it need not survive a power cut. */
const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0' };
const CHANGES_PER_TABLE = 1000;

export async function run({ seed, args }: RunOptions): Promise<void> {
  const chosen = args[args.indexOf('--family') + 1];
  const families = args.includes('--family') ? FAMILIES.filter((family) => family === chosen) : FAMILIES;
  const changes = Math.ceil((numberAfter(args, '--rows') ?? 20_000) / families.length);
  for (const family of families) {
    const server = await startServer(family, QUICK);
    try {
      const result = await differentialCampaign({
        family,
        server,
        changes,
        perTable: CHANGES_PER_TABLE,
        seed,
        isOwn: true,
        say: console.log,
      });
      console.log(server.version, JSON.stringify(result, null, 1));
      if (result.findings.length > 0) process.exitCode = 1;
    } finally {
      await server.stop();
    }
  }
}
