import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const PROGRAM = ['scripts/node24.mjs', 'quickstart/quickstart.ts'];

void describe('the quickstart', () => {
  void it('ends in good order at a Ctrl-C, which its whole process group hears, and leaves nothing behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'disync-interrupt-'));
    chmodSync(folder, 0o755); // Servers run as another user than root.
    const child = spawn(process.execPath, PROGRAM, {
      cwd: join(import.meta.dirname, '..'),
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let told = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      const wasServing = told.includes('disync serves on');
      told += chunk.toString();
      if (!wasServing && told.includes('disync serves on') && child.pid !== undefined)
        process.kill(-child.pid, 'SIGINT');
    });
    const [code] = (await once(child, 'close')) as [number | null];
    const left = readdirSync(folder).filter((name) => name.startsWith('disync-'));
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual({ code, errors, left }, { code: 130, errors: '', left: [] }, told);
  });
});
