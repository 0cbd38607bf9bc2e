import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALL_KINDS } from './support/control-plane-calls.ts';
import { controlPlaneCampaign } from './support/control-plane-campaign.ts';

void test('whatever is called in whatever order, at once and across restarts, tasks and their plans are what the answers say', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`seed ${seed}`);
  const { finding, answers } = await controlPlaneCampaign({ sequences: 250, seed });
  assert.equal(finding, null, finding ?? '');
  const done = Object.keys(answers).flatMap((name) => (name.endsWith(': done') ? [name.replace(': done', '')] : []));
  assert.deepEqual(
    CALL_KINDS.filter((kind) => !done.includes(kind)),
    [],
    'every kind of call succeeded at least once',
  );
});
