// npm run test:long -- policies --n N --seed S: N random policy sets, evaluated by us and by a naive evaluator.
import type { RunOptions } from '../../scripts/run-named.ts';
import { policyCampaign } from '../support/policy-campaign.ts';

export async function run({ n, seed }: RunOptions): Promise<void> {
  console.log(JSON.stringify(policyCampaign({ sets: n ?? 100_000, seed })));
}
