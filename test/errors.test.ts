import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
/** Codes have a dot, as `Table.Unknown`; or are one of the API's old ones. */
const CODE =
  /['`]((?:[A-Z][A-Za-z]+)(?:\.[A-Z][A-Za-z]+)+|IncompleteSignature|SignatureDoesNotMatch|SignatureNonceUsed|UnsupportedHTTPMethod|ConnectionAlreadyExist|MalformedRequest|RequestTimeout|RequestTooLarge|InvalidParameter|InvalidContentType|InvalidVersion|InvalidSignature[A-Z]\w+)['`:]/g;

function codesInSource(): Set<string> {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.endsWith('.test.ts'));
  return new Set(
    files.flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(CODE)].map((match) => match[1] ?? '')),
  );
}

function codesInDocs(): Set<string> {
  const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')),
  );
}

void test('every code of the source is explained in docs/errors.md, and no other', () => {
  const source = codesInSource();
  const docs = codesInDocs();
  docs.delete('Missing{Name}');
  assert.deepEqual(
    { unexplained: [...source.difference(docs)], gone: [...docs.difference(source)] },
    { unexplained: [], gone: [] },
  );
});
