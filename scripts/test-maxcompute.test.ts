import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const SCRIPTS = import.meta.dirname;

function start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [join(SCRIPTS, script), ...args], { env: { ...process.env, ...env } });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

void test('the suite says what to set when it is told no endpoint', async () => {
  const { code, said } = await ended(start('test-maxcompute.ts', [], { DISYNC_MAXCOMPUTE_ENDPOINT: '' }));
  assert.equal(code, 2);
  assert.match(said, /set\n {2}DISYNC_MAXCOMPUTE_ENDPOINT/);
});

void test('the suite holds against a double that runs beside it', async () => {
  const double = start('maxcompute-double.ts', ['--project', 'shop', '--id', 'me', '--key', 'secret']);
  try {
    const facts = new Map<string, string>();
    for await (const line of createInterface({ input: double.stdout ?? assert.fail() })) {
      const [name = '', value = ''] = line.split(/ {2,}/);
      facts.set(name, value);
      if (name === 'control') break;
    }
    const env = {
      DISYNC_MAXCOMPUTE_ENDPOINT: facts.get('endpoint'),
      DISYNC_MAXCOMPUTE_PROJECT: 'shop',
      DISYNC_MAXCOMPUTE_ACCESS_ID: 'me',
      DISYNC_MAXCOMPUTE_ACCESS_KEY: 'secret',
    };
    // A fault that is told from outside is sat out like any other.
    const told = await fetch(`${facts.get('control')}faults`, {
      method: 'POST',
      body: JSON.stringify({ what: 'refuse', status: 502, path: '/upserts', method: 'PUT' }),
    });
    assert.deepEqual(await told.json(), { waiting: 1 });
    const { code, said } = await ended(start('test-maxcompute.ts', [], env));
    assert.equal(code, 0, said);
    assert.match(said, /the suite holds/);
    const tables = await (await fetch(`${facts.get('control')}tables`)).json();
    assert.deepEqual(tables, []);
    const calls = (await (await fetch(`${facts.get('control')}calls`)).json()) as string[];
    assert.ok(calls.some((call) => call.startsWith('PUT /projects/shop/tables/disync_test_')));
  } finally {
    double.kill();
    await once(double, 'close');
  }
});
