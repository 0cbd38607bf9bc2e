// npm run test:long -- maxcompute-faults --n FAULTS --seed S [--family mariadb|mysql] [--type delta|log|append]: kills, cuts and
// failures that a double of MaxCompute is told, while rows are written and tables come and go; the double, in a process of its own,
// must have each change of the source once. So many faults in all: half in logs, the rest in Delta and append tables.
import type { RunOptions } from '../../scripts/run-named.ts';
import { maxComputeFaultsCampaign } from '../support/maxcompute-faults-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

const SHARES = [
  { tableType: 'log', share: 0.5 },
  { tableType: 'delta', share: 0.3 },
  { tableType: 'append', share: 0.2 },
] as const;

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const given = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
  const lives = SHARES.filter(({ tableType }) => tableType === (given('--type') ?? tableType));
  const all = lives.reduce((sum, { share }) => sum + share, 0);
  for (const [index, { tableType, share }] of lives.entries()) {
    const family = FAMILIES.find((each) => each === given('--family')) ?? FAMILIES[(seed + index) % 2] ?? 'mysql';
    const result = await maxComputeFaultsCampaign({
      family,
      tableType,
      faults: Math.round(((n ?? 40) * share) / all),
      seed: seed + 100 * index,
      say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
    });
    console.log(family, tableType, JSON.stringify(result, null, 1));
    if (result.findings.length > 0) process.exitCode = 1;
  }
}
