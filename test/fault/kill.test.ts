import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES } from '../support/servers.ts';
import { killCampaign } from '../support/kill-campaign.ts';

for (const family of FAMILIES) {
  void describe(`the service, reading ${family}`, () => {
    void it('loses nothing and doubles nothing when it is killed at random moments, five times', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const { compared } = await killCampaign({ family, kills: 5, seed, say: (line) => t.diagnostic(line) });
      assert.deepEqual(
        compared.map(({ table, differences }) => ({ table, differences })),
        compared.map(({ table }) => ({ table, differences: 0 })),
      );
    });
  });
}
