// Many more random lives of a pipeline than the suite has time for.
import type { RunOptions } from '../../scripts/run-named.ts';
import { simulatePipeline } from '../support/pipeline-sim.ts';

export async function run({ n, seed }: RunOptions): Promise<void> {
  const lives = n ?? 5000;
  for (let index = 0; index < lives; index++) {
    await simulatePipeline({ seed: seed + index, steps: 120 });
    if ((index + 1) % 500 === 0) console.log(`${index + 1} of ${lives} lives`);
  }
}
