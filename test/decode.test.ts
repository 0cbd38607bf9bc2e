import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCampaign } from './support/decode-campaign.ts';

void test('a damaged or made-up log ends in a named error, in bounded time and memory, and no row of it is delivered in part', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const { inputs, findings, images } = await decodeCampaign({ inputs: 2000, seed });
  assert.deepEqual({ inputs, findings }, { inputs: 2000, findings: [] });
  assert.ok(images > 10_000, `${images} images are too few to say anything`);
});
