// Many more random lives of a pipeline than the suite has time for.
import { simulatePipeline } from '../support/pipeline-sim.ts';

export async function run({ n, seed }: { n: number | null; seed: number }): Promise<void> {
  const lives = n ?? 5000;
  for (let index = 0; index < lives; index++) {
    await simulatePipeline({ seed: seed + index, steps: 120 });
    if ((index + 1) % 500 === 0) console.log(`${index + 1} of ${lives} lives`);
  }
}
