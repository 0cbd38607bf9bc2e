// npm run test:long -- ddl --n N --seed S: random ALTER TABLEs, N on each family: what we make of them against the server's own
// description of its tables.
import { numberAfter } from '../../scripts/run-named.ts';
import type { RunOptions } from '../../scripts/run-named.ts';
import { startServer } from '../../scripts/servers/servers.ts';
import { alterCampaign } from '../support/alter-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

const QUICK = { sync_binlog: '0', innodb_flush_log_at_trx_commit: '0' };

export async function run({ seed, args }: RunOptions): Promise<void> {
  const statements = numberAfter(args, '--n') ?? 2000;
  for (const family of FAMILIES) {
    const server = await startServer(family, QUICK);
    try {
      const result = await alterCampaign({ family, server, statements, seed });
      console.log(server.version, JSON.stringify(result, null, 1));
      if (result.findings.length > 0) process.exitCode = 1;
    } finally {
      await server.stop();
    }
  }
}
