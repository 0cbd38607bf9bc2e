import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { operations } from './catalogue.ts';
import { renderCoverage } from './coverage.ts';

test('docs/api-coverage.md says what the catalogue says', () => {
  const page = readFileSync(new URL('../../docs/api-coverage.md', import.meta.url), 'utf8');
  assert.equal(page, renderCoverage(operations), 'run: node scripts/node24.mjs scripts/api-coverage.ts');
});
