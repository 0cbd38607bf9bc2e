import { startMaxComputeUnderTest } from '../../../test/support/maxcompute-under-test.ts';
import { sinkContract } from '../../../test/support/sink-contract.ts';

sinkContract('MaxCompute with Delta tables', {
  holdsCheckpoint: true,
  longestText: 8_000_000,
  start: () => startMaxComputeUnderTest(),
});
