// npm run test:long -- api-fuzz --n MALFORMED --mutated N --seed S: malformed requests, and signed ones that were changed; see
// test/support/api-fuzz-campaign.ts.
import { numberAfter, type RunOptions } from '../../scripts/run-named.ts';
import { apiFuzzCampaign } from '../support/api-fuzz-campaign.ts';

export async function run({ n, seed, args }: RunOptions): Promise<void> {
  const mutated = numberAfter(args, '--mutated') ?? 100_000;
  const result = await apiFuzzCampaign({ malformed: n ?? 1_000_000, mutated, seed, say: console.log });
  console.log(JSON.stringify(result, null, 2));
  if (result.findings.length > 0) process.exitCode = 1;
}
