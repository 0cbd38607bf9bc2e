import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { differentialCampaign } from './support/differential-campaign.ts';
import { FAMILIES, sharedServer } from './support/servers.ts';

for (const family of FAMILIES) {
  void describe(`the source, reading ${family}`, () => {
    void it('gives the values that the server’s own tool reads from its log, and that SELECT reads from its tables', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const server = await sharedServer(family);
      const { findings, changes } = await differentialCampaign({ family, server, changes: 900, perTable: 300, seed });
      assert.deepEqual(findings, []);
      assert.ok(changes >= 900);
    });
  });
}
