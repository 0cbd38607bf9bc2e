// npm run test:long -- failover --n HOPS --seed S [--family mariadb|mysql]: a reader that is stopped after any batch and goes on at
// the primary or at its replica, while the primary is written to. The replica's log has another order: MySQL does not keep it, and
// on MariaDB each writer has a domain of its own. Every row is delivered once, and in the end all are equal.
import type { RunOptions } from '../../scripts/run-named.ts';
import { ReplicaPair } from '../support/replica-pair.ts';
import { failoverCampaign } from '../support/failover-campaign.ts';
import { FAMILIES, type Family } from '../support/servers.ts';

const SETTINGS: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  mysql: { replica_preserve_commit_order: 'OFF', replica_parallel_workers: '4' },
  mariadb: { slave_parallel_threads: '4', slave_parallel_mode: 'optimistic' },
};

export async function run(options: RunOptions): Promise<void> {
  const { n, seed, args } = options;
  const chosen = args.includes('--family') ? args[args.indexOf('--family') + 1] : undefined;
  for (const family of FAMILIES.filter((one) => (chosen ?? one) === one)) {
    const pair = await ReplicaPair.start(family, SETTINGS[family]);
    try {
      const result = await failoverCampaign(pair, n ?? 50, seed);
      console.log(family, JSON.stringify(result));
      if (!result.isWhole) process.exitCode = 1;
    } finally {
      await pair.stop();
    }
  }
}
