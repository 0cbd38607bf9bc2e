// A process of its own that rotates the master key of a store, and is killed after a step.
import { rotateMasterKey } from '../../src/store/rotate-master-key.ts';

const [folder, step, to] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: key-rotator FOLDER STEP [TO]');
await rotateMasterKey({
  folder,
  masterKey: process.env['KEY'] ?? null,
  masterKeyFile: null,
  to: to ?? null,
  onStep: (done) => {
    if (done === step) process.kill(process.pid, 'SIGKILL');
  },
});
