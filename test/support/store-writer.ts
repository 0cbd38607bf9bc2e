// A process of its own that opens a store and writes, for tests that kill it: says `open`, then each number that it was told is durable.
import { systemClock } from '../../src/lib/clock.ts';
import { Store } from '../../src/store/store.ts';
import type { ProjectId } from '../../src/tasks/ids.ts';

const [folder, mode] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: store-writer FOLDER hold|projects|checkpoints');
const owner = { installation: 'here', task: '1', incarnation: 'first' };

try {
  const store = Store.open({ folder, masterKey: null, masterKeyFile: null, clock: systemClock, exclusive: true });
  console.log('open');
  if (mode === 'hold') setInterval(() => {}, 1000);
  for (let n = 1; mode !== 'hold'; n++) {
    if (mode === 'projects') await store.access.createProject(BigInt(n) as ProjectId, 'written');
    else {
      const checkpoint = { sequence: n, offset: { position: n }, version: 1, tables: [] };
      await store.checkpoints.save(owner, { checkpoint, heldBySink: false });
    }
    console.log(n);
  }
} catch (error) {
  console.log(`refused: ${(error as Error).message}`);
  process.exit(1);
}
