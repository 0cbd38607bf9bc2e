import { test } from 'node:test';
import { simulatePipeline } from '../../../test/support/pipeline-sim.ts';

const LIVES = 200;

void test(`in ${LIVES} random lives with outages, crashes, refusals and live changes, the sink ends equal to the source`, async () => {
  for (let seed = 0; seed < LIVES; seed++) await simulatePipeline({ seed, steps: 120 });
});
