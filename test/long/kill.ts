// npm run test:long -- kill --n KILLS --seed S [--family mariadb|mysql]: SIGKILL at random moments, then every row compared;
// so many kills in all, shared by the families and by the two who may hold the checkpoint.
import type { RunOptions } from '../../scripts/run-named.ts';
import { isWhole, killCampaign } from '../support/kill-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const chosen = args[args.indexOf('--family') + 1];
  const families = args.includes('--family') ? FAMILIES.filter((family) => family === chosen) : FAMILIES;
  const lives = families.flatMap((family) => [false, true].map((asHologres) => ({ family, asHologres })));
  for (const [index, { family, asHologres }] of lives.entries()) {
    const kills = Math.ceil((n ?? 40) / lives.length);
    const result = await killCampaign({ family, asHologres, kills, seed: seed + index, say: console.log });
    console.log(family, asHologres ? 'to Hologres' : 'to PostgreSQL', JSON.stringify(result));
    if (!isWhole(result)) process.exitCode = 1;
  }
}
