import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiFuzzCampaign } from './support/api-fuzz-campaign.ts';

void test('whatever is sent is answered with a documented code and an id, and nothing that was changed after signing is accepted', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const { findings, answers } = await apiFuzzCampaign({ malformed: 2500, mutated: 500, seed });
  assert.deepEqual(findings, []);
  const needed = ['200 ', '400 SignatureDoesNotMatch', '400 MalformedRequest', '400 Invalid.DI.Parameter'];
  assert.deepEqual(
    needed.filter((answer) => answers[answer] === undefined),
    [],
    'every layer has been reached',
  );
});
