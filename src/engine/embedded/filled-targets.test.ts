import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../pipeline/batch.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { TargetId } from '../../pipeline/route.ts';
import { FilledTargets } from './filled-targets.ts';

const target = (table: string): TargetId => ({ schema: 's', table });
const def = (routes: Readonly<Record<string, string>>, filled: readonly string[] = []) =>
  ({
    routes: Object.entries(routes).map(([table, name]) => ({
      table: { database: 'd', table },
      target: target(name),
    })),
    filled: filled.map(target),
  }) as unknown as PipelineDef;
const rowsOf = (...tables: readonly string[]) =>
  ({
    parts: tables.map((table) => ({ kind: 'rows', table: { id: { database: 'd', table } } })),
  }) as unknown as Batch;

test('a target is remembered before its first row, once, whichever table brings it', async () => {
  const filled = new FilledTargets();
  const told: string[][] = [];
  const note = (...tables: readonly string[]) =>
    filled.note(rowsOf(...tables), async (targets) => void told.push(targets.map(({ table }) => table)));
  filled.add(def({ a: 'x', b: 'x', c: 'y', e: 'known' }, ['known']));
  await note('a', 'b', 'a');
  await note('b', 'e', 'elsewhere');
  await note('c', 'a');
  filled.add(def({ a: 'x', f: 'z' }, ['known']));
  await note('a', 'c', 'f');
  assert.deepEqual(told, [['x'], ['y'], ['z']]);
  assert.deepEqual(
    filled.all.map(({ table }) => table),
    ['known', 'x', 'y', 'z'],
  );
});

test('a target that could not be remembered is asked to be once more', async () => {
  const filled = new FilledTargets();
  filled.add(def({ a: 'x' }));
  await assert.rejects(
    filled.note(rowsOf('a'), () => Promise.reject(new Error('the disk is full'))),
    /full/,
  );
  const told: unknown[] = [];
  await filled.note(rowsOf('a'), async (targets) => void told.push(...targets));
  assert.deepEqual(told, [target('x')]);
});
