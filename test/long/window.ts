// npm run test:long -- window --n ROUNDS --seed S [--family mariadb|mysql]: loads of a table under 16 writers, for every way of
// loading × sync_binlog × semi-synchronous replication with late acknowledgements; ROUNDS of each.
import { numberAfter } from '../../scripts/run-named.ts';
import type { RunOptions } from '../../scripts/run-named.ts';
import { startServer } from '../../scripts/servers/servers.ts';
import { FAMILIES } from '../support/servers.ts';
import { semiSyncServerSettings, windowRound, windowSettings } from '../support/window-campaign.ts';

export async function run({ seed, args }: RunOptions): Promise<void> {
  const rounds = numberAfter(args, '--n') ?? 5;
  const chosen = args[args.indexOf('--family') + 1];
  const families = args.includes('--family') ? FAMILIES.filter((family) => family === chosen) : FAMILIES;
  for (const family of families) {
    const server = await startServer(family, semiSyncServerSettings(family));
    try {
      for (const setting of windowSettings(family))
        for (let round = 0; round < rounds; round += 1) {
          const result = await windowRound({ ...server, kind: family }, setting, seed + round);
          console.log(server.version, JSON.stringify(result));
          if (result.findings.length > 0) process.exitCode = 1;
        }
    } finally {
      await server.stop();
    }
  }
}
