import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

/** So many that two who draw for themselves draw some alike. */
const PORTS = 400;

const ASK = `
  const { freePort } = await import(${JSON.stringify(new URL('free-port.ts', import.meta.url).href)});
  const ports = [];
  while (ports.length < ${PORTS}) ports.push(await freePort());
  process.stdout.write(JSON.stringify(ports));
  process.stdin.resume();
`;

void test('no port is given twice, nor to two processes at once', { skip: process.platform !== 'linux' }, async () => {
  const children = [ask(), ask()];
  const ports = (await Promise.all(children.map(said))).flat();
  for (const child of children) child.stdin.end();
  assert.deepEqual([ports.length, new Set(ports).size], [2 * PORTS, 2 * PORTS]);
});

/** A process that has asked for ports, and holds them until its input ends. */
function ask() {
  return spawn(process.execPath, ['--input-type=module', '-e', ASK], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function said({ stdout }: ReturnType<typeof ask>): Promise<number[]> {
  let text = '';
  for await (const more of stdout.setEncoding('utf8')) {
    text += String(more);
    if (text.endsWith(']')) break;
  }
  return JSON.parse(text) as number[];
}
