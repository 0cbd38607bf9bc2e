import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesWildcard } from './wildcard.ts';

test('matches as a regular expression of the same meaning does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, (pattern, given) => {
      const meaning = new RegExp(`^${pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`);
      assert.equal(matchesWildcard(pattern, given), meaning.test(given));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern of many stars against a long text that does not match ends soon', () => {
  const started = performance.now();
  assert.equal(matchesWildcard(`${'a*'.repeat(500)}b`, 'a'.repeat(10_000)), false);
  assert.ok(performance.now() - started < 2000);
});
