// npm run test:long -- policies --n N --seed S: N random policy sets, evaluated by us and by a naive evaluator.
import { numberAfter } from '../../scripts/run-named.ts';
import { policyCampaign } from '../support/policy-campaign.ts';

export async function run({ seed, args }: { seed: number; args: readonly string[] }): Promise<void> {
  console.log(JSON.stringify(policyCampaign({ sets: numberAfter(args, '--n') ?? 100_000, seed })));
}
