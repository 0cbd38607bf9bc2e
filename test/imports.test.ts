import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const SRC = join(import.meta.dirname, '..', 'src');

/** What each room may import, beside itself (docs/ARCHITECTURE.md, "Rooms"). A room may be a file. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  pipeline: ['lib'],
  'connectors/index.ts': ['connectors', 'pipeline', 'lib'],
  connectors: ['pipeline', 'lib'],
  'engine/engine.ts': ['pipeline', 'lib'],
  engine: ['engine/engine.ts', 'pipeline', 'lib'],
  tasks: ['engine/engine.ts', 'pipeline', 'lib'],
  notify: ['tasks', 'lib'],
  store: ['tasks', 'engine/engine.ts', 'pipeline', 'lib'],
  api: ['tasks', 'lib', 'engine/engine.ts'],
  cli: ['api', 'tasks', 'store', 'engine', 'engine/engine.ts', 'connectors/index.ts', 'pipeline', 'lib', 'config.ts'],
  'config.ts': ['lib'],
  'main.ts': [
    'api',
    'cli',
    'tasks',
    'notify',
    'store',
    'engine',
    'engine/engine.ts',
    'connectors/index.ts',
    'pipeline',
    'lib',
    'config.ts',
  ],
};

const files = globSync('**/*.ts', { cwd: SRC }).filter((file) => !file.endsWith('.test.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) => match[1] ?? '');
  return found.map((path) => relative(SRC, join(SRC, dirname(file), path)));
}

/** The most specific room that a file is in. */
function roomOf(file: string): string {
  const room = Object.keys(MAY_IMPORT).find((name) => name === file) ?? file.split('/')[0] ?? '';
  assert.ok(room in MAY_IMPORT, `${file} is in no room`);
  return room;
}

function mayImport(from: string, to: string): boolean {
  const room = roomOf(from);
  const other = roomOf(to);
  if (from.startsWith('connectors/') && to.startsWith('connectors/') && room !== 'connectors/index.ts')
    return from.split('/')[1] === to.split('/')[1];
  if (room === other) return true;
  return MAY_IMPORT[room]?.includes(other) === true;
}

void test('every import follows the layers', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file).flatMap((to) => (mayImport(file, to) ? [] : [`${file} → ${to}`])),
  );
  assert.deepEqual(wrong, []);
});

void test('no import goes in a circle, types included', () => {
  const graph = new Map(files.map((file) => [file, importsOf(file)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  assert.deepEqual(circles, []);
});
