// npm run test:long -- control-plane --n SEQUENCES --seed S: random sequences of operations on tasks, jobs, files, rules and data sources, with callers at once and
// restarts between and within, against a model; see test/support/control-plane-campaign.ts.
import type { RunOptions } from '../../scripts/run-named.ts';
import { controlPlaneCampaign } from '../support/control-plane-campaign.ts';

export async function run({ n, seed }: RunOptions): Promise<void> {
  const result = await controlPlaneCampaign({ sequences: n ?? 100_000, seed, say: console.log });
  console.log(JSON.stringify(result, null, 2));
  if (result.finding !== null) {
    console.error(result.finding);
    process.exitCode = 1;
  }
}
