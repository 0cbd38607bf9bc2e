import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maxComputeFaultsCampaign } from '../support/maxcompute-faults-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

void describe('a table of MaxCompute', () => {
  for (const tableType of ['log', 'delta'] as const)
    void it(`of type ${tableType} has every change once, whatever breaks between it and the source, three times`, async (t) => {
      const seed = Date.now() % 1_000_000;
      const family = FAMILIES[seed % 2] ?? 'mysql';
      t.diagnostic(`${family}, seed ${seed}`);
      const say = (line: string) => t.diagnostic(line);
      const { findings } = await maxComputeFaultsCampaign({ family, tableType, faults: 3, seed, say });
      assert.deepEqual(findings, []);
    });
});
