import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

void test('packages that are missing, or of another version, are named before anything needs them', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'disync-installed-'));
  t.after(() => rmSync(root, { recursive: true }));
  cpSync(join(import.meta.dirname, 'installed.ts'), join(root, 'scripts', 'installed.ts'));
  const said = () => spawnSync(process.execPath, [join(root, 'scripts', 'installed.ts')], { encoding: 'utf8' }).stderr;
  const install = (name: string, version: string) => {
    mkdirSync(join(root, 'node_modules', name), { recursive: true });
    writeFileSync(join(root, 'node_modules', name, 'package.json'), JSON.stringify({ name, version }));
  };
  const packages = {
    '': { name: 'ours' },
    'node_modules/@a/b': { version: '1.0.0' },
    'node_modules/win': { version: '1.0.0', optional: true },
  };
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  const wrong = (what: string) => `node_modules does not match package-lock.json (${what}): run npm ci\n`;
  assert.equal(said(), wrong('@a/b is missing'));
  install('@a/b', '1.0.0');
  assert.equal(said(), '');
  install('win', '0.9.0');
  assert.equal(said(), wrong('win is 0.9.0, not 1.0.0'));
});
