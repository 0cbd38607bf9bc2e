import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TaskError } from './task-error.ts';
import { moveTask, type TaskMove, type TaskState } from './task-state.ts';

const MOVES: readonly TaskMove[] = ['deploy', 'start', 'stop', 'failed', 'terminate', 'delete'];
const REFUSED = 'refused';

void test('every move from every state is allowed or refused as the table says', () => {
  const expected: Record<TaskState, readonly (TaskState | typeof REFUSED)[]> = {
    SAVED: ['NORUN', REFUSED, REFUSED, REFUSED, REFUSED, 'SAVED'],
    NORUN: ['NORUN', 'RUN', REFUSED, REFUSED, 'SAVED', 'NORUN'],
    RUN: ['RUN', 'RUN', 'PAUSE', 'PAUSE', 'SAVED', REFUSED],
    PAUSE: ['PAUSE', 'RUN', 'PAUSE', 'PAUSE', 'SAVED', 'PAUSE'],
  };
  for (const state of ['SAVED', 'NORUN', 'RUN', 'PAUSE'] as const) {
    const found = MOVES.map((move) => {
      try {
        return moveTask(state, move, 5n);
      } catch (error) {
        assert.ok(error instanceof TaskError && error.kind === 'wrong-state');
        return REFUSED;
      }
    });
    assert.deepEqual(found, expected[state], state);
  }
});

void test('a refusal names the task and the call that is missing', () => {
  const message = (state: TaskState, move: TaskMove) => {
    try {
      moveTask(state, move, 700_001n);
    } catch (error) {
      return (error as Error).message;
    }
    return null;
  };
  assert.deepEqual(
    [message('SAVED', 'start'), message('NORUN', 'stop'), message('RUN', 'delete')],
    [
      'fileId:[700001] is saved but not deployed: call DeployDISyncTask first.',
      'fileId:[700001] is deployed and was never started: call StartDISyncInstance.',
      'fileId:[700001] is running: call StopDISyncInstance first.',
    ],
  );
});
