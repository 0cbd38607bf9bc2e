import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemorySink, MemoryTarget } from '../../connectors/memory/sink.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { CheckpointStore, StoredCheckpoint } from '../engine.ts';
import { recoverCheckpoint } from './recover-checkpoint.ts';

const OWNER = { installation: 'i', task: '1', incarnation: 'x' };

function checkpoint(sequence: number): Checkpoint {
  return { sequence, offset: { position: sequence }, version: 1, tables: [] };
}

function storeOf(stored: StoredCheckpoint | null): CheckpointStore {
  return { load: async () => stored, save: async () => {}, forget: async () => {} };
}

function recover(options: { held: Checkpoint | null; holds: boolean; stored: StoredCheckpoint | null }) {
  const target = new MemoryTarget();
  target.checkpoint = options.held;
  const sink = new MemorySink(target, { holdsCheckpoint: options.holds });
  return recoverCheckpoint(sink, storeOf(options.stored), OWNER);
}

void test('a first start has no checkpoint', async () => {
  for (const holds of [true, false]) assert.equal(await recover({ held: null, holds, stored: null }), null);
});

void test('what the sink holds with its rows is the truth, even where the copy is newer', async () => {
  for (const sequence of [1, 9]) {
    const stored = { checkpoint: checkpoint(sequence), heldBySink: true };
    assert.deepEqual(await recover({ held: checkpoint(5), holds: true, stored }), checkpoint(5));
  }
});

void test('what a sink holds of before a time in which it held none is outrun', async () => {
  const stored = { checkpoint: checkpoint(9), heldBySink: false };
  assert.deepEqual(await recover({ held: checkpoint(5), holds: true, stored }), checkpoint(9));
  assert.deepEqual(await recover({ held: checkpoint(10), holds: true, stored }), checkpoint(10));
});

void test('a sink that holds none goes on from our own', async () => {
  const stored = { checkpoint: checkpoint(7), heldBySink: false };
  assert.deepEqual(await recover({ held: null, holds: false, stored }), checkpoint(7));
  assert.deepEqual(await recover({ held: null, holds: true, stored }), checkpoint(7));
});

void test('a sink that lost the right to hold it goes on from the copy', async () => {
  const stored = { checkpoint: checkpoint(7), heldBySink: true };
  assert.deepEqual(await recover({ held: null, holds: false, stored }), checkpoint(7));
});

void test('a sink that held the checkpoint and has lost it ends the run, and says what to do', async () => {
  const stored = { checkpoint: checkpoint(7), heldBySink: true };
  await assert.rejects(recover({ held: null, holds: true, stored }), (error: unknown) => {
    assert.ok(error instanceof PipelineError);
    assert.deepEqual([error.kind, error.code], ['fatal', 'Checkpoint.Missing']);
    assert.match(error.hint ?? '', /Terminate the task and start it again/);
    return true;
  });
});
