import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { alterCampaign } from '../../../../test/support/alter-campaign.ts';
import { FAMILIES, sharedServer } from '../../../../test/support/servers.ts';

for (const family of FAMILIES) {
  void test(`columns are after random ALTERs what ${family} says that they are (npm run test:long -- ddl)`, async (t) => {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const server = await sharedServer(family);
    const { altered, doubted, findings } = await alterCampaign({ family, server, statements: 120, seed });
    assert.deepEqual(findings, []);
    assert.ok(doubted < altered / 3, `${doubted} of ${altered} were left in doubt`);
  });
}
