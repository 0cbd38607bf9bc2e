// npm run test:long -- decode --inputs N --seed S [--only INPUT]: damaged and made-up logs; see test/support/decode-campaign.ts.
import { numberAfter } from '../../scripts/run-named.ts';
import type { RunOptions } from '../../scripts/run-named.ts';
import { decodeCampaign } from '../support/decode-campaign.ts';

export async function run({ seed, args }: RunOptions): Promise<void> {
  const result = await decodeCampaign({
    inputs: numberAfter(args, '--inputs') ?? 100_000,
    seed,
    only: numberAfter(args, '--only'),
    say: console.log,
  });
  console.log(JSON.stringify(result, null, 2));
  if (result.findings.length > 0) process.exitCode = 1;
}
