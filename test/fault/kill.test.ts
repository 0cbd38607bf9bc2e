import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES } from '../support/servers.ts';
import { isWhole, killCampaign } from '../support/kill-campaign.ts';

for (const family of FAMILIES) {
  void describe(`the service, reading ${family}`, () => {
    void it('loses nothing and doubles nothing when it is killed at random moments, five times', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const result = await killCampaign({
        family,
        asHologres: family === 'mysql',
        kills: 5,
        seed,
        say: (line) => t.diagnostic(line),
      });
      assert.equal(isWhole(result), true, JSON.stringify(result));
    });
  });
}
