import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Seal } from './seal.ts';

const seal = new Seal(randomBytes(32));

void test('any text comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, owner) => {
      assert.equal(seal.open(seal.close(text, owner), owner), text);
    }),
  );
});

void test('the same text is sealed differently each time, and does not show', () => {
  const first = seal.close('a secret that is long enough to be seen', 'x');
  const second = seal.close('a secret that is long enough to be seen', 'x');
  assert.notDeepEqual(first, second);
  assert.equal(first.includes('secret'), false);
});

void test('another key, another owner or a changed byte does not open', () => {
  const sealed = seal.close('secret', 'mine');
  assert.throws(() => new Seal(randomBytes(32)).open(sealed, 'mine'));
  assert.throws(() => seal.open(sealed, 'theirs'));
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => seal.open(changed, 'mine'), `byte ${at}`);
  }
  assert.throws(() => seal.open(sealed.subarray(0, 20), 'mine'));
});
