import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

/** Starts a program, and tells its pid and then each SIGINT. */
const HOLDER = `
  import { spawn } from 'node:child_process';
  import { tethered } from '${join(import.meta.dirname, 'tether.ts')}';
  const { command: [program, ...args], detached } = tethered(['sleep', '60']);
  const child = spawn(program, args, { detached, stdio: 'ignore' });
  child.once('exit', () => console.log('over'));
  process.on('SIGINT', () => console.log('interrupted'));
  console.log(child.pid);
`;
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

void describe('a tethered program', { skip: process.platform !== 'linux' }, () => {
  void it('outlives a Ctrl-C, and not a kill -9 of the one that holds it', async () => {
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const pid = Number(String((await once(holder.stdout, 'data'))[0]));
    process.kill(-(holder.pid ?? 0), 'SIGINT');
    assert.equal(String((await once(holder.stdout, 'data'))[0]), 'interrupted\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(isAlive(pid), true);

    holder.kill('SIGKILL');
    const deadline = Date.now() + 10_000;
    while (isAlive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAlive(pid), false);
  });
});
