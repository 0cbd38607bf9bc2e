import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const MAIN = join(import.meta.dirname, '..', 'main.ts');

/** Runs `disync ARGS`; gives its status and what it printed. */
function disync(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

void describe('a command on the store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'disync-command-'));
  const dataDir = join(folder, 'data');
  after(() => rmSync(folder, { recursive: true }));

  void it('makes none where there is none, but for the first that makes a project', async () => {
    const looked = await disync('project', 'list', '--data-dir', dataDir);
    assert.deepEqual(looked, {
      code: 1,
      stdout: '',
      stderr: `disync: Store.Missing: there is no store at ${dataDir}\nGive --data-dir; "disync serve" and "disync project create" make a store.\n`,
    });
    assert.equal(existsSync(dataDir), false);
    assert.equal((await disync('project', 'create', '7', '--data-dir', dataDir)).code, 0);
    assert.deepEqual(await disync('project', 'list', '--data-dir', dataDir), {
      code: 0,
      stdout: '7\tproject 7\n',
      stderr: '',
    });
  });

  void it('names a file that cannot be read', async () => {
    const { code, stderr } = await disync('token', '--user', 'x', '--policy', '/nowhere', '--data-dir', dataDir);
    assert.deepEqual([code, stderr], [1, 'disync: File.Unreadable: /nowhere cannot be read: there is no such file\n']);
  });

  void it('comes with its version', async () => {
    const { version } = JSON.parse(readFileSync(join(MAIN, '..', '..', 'package.json'), 'utf8')) as { version: string };
    assert.deepEqual(await disync('--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
