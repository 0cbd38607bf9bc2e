// npm run test:long -- kill --n KILLS --seed S [--family mariadb|mysql]: SIGKILL at random moments, then every row compared.
import { isWhole, killCampaign } from '../support/kill-campaign.ts';

export async function run({
  n,
  seed,
  args,
}: {
  n: number | null;
  seed: number;
  args: readonly string[];
}): Promise<void> {
  const chosen = args[args.indexOf('--family') + 1];
  for (const family of ['mariadb', 'mysql'] as const) {
    if (args.includes('--family') && family !== chosen) continue;
    const result = await killCampaign({ family, kills: n ?? 50, seed, say: console.log });
    console.log(family, JSON.stringify(result));
    if (!isWhole(result)) process.exitCode = 1;
  }
}
