import { sinkContract } from '../../../test/support/sink-contract.ts';
import { startHologresUnderTest } from '../../../test/support/hologres-under-test.ts';

sinkContract('PostgreSQL by staging', {
  holdsCheckpoint: true,
  start: () => startHologresUnderTest({ options: { writePath: 'staging' } }),
});

sinkContract('PostgreSQL by the fixed path', {
  holdsCheckpoint: true,
  start: () => startHologresUnderTest({ options: { writePath: 'fixed' } }),
});

sinkContract('Hologres', {
  holdsCheckpoint: false,
  start: () => startHologresUnderTest({ options: { tableProperties: { orientation: 'row' } }, asHologres: true }),
});
