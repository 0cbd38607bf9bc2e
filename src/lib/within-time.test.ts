import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withinTime } from './within-time.ts';

const late = () => new Error('late');

test('gives what comes in time, and its error', async () => {
  assert.equal(await withinTime({ ms: 1000, late }, async () => 7), 7);
  await assert.rejects(
    withinTime({ ms: 1000, late }, () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  );
});

test('ends what does not listen to its signal, and aborts it', async () => {
  const heard = Promise.withResolvers<boolean>();
  const work = (signal: AbortSignal) => {
    signal.addEventListener('abort', () => heard.resolve(true));
    return new Promise<never>(() => {});
  };
  await assert.rejects(withinTime({ ms: 1, late }, work), /^Error: late$/);
  assert.equal(await heard.promise, true);
});
