import { TaskError } from './task-error.ts';

/*
 * What is remembered of a task's life; WAIT and KILLING are moments of a run and live in the engine.
 *
 *            deploy            start            stop, failed
 *   SAVED ──────────► NORUN ──────────► RUN ◄──────────────► PAUSE
 *     ▲                 │                │       start         │
 *     └──── terminate ──┴────────────────┴─────────────────────┘
 */
export type TaskState = 'SAVED' | 'NORUN' | 'RUN' | 'PAUSE';

export type TaskMove = 'deploy' | 'start' | 'stop' | 'failed' | 'terminate' | 'delete';

const MOVES: Readonly<Record<TaskState, Partial<Record<TaskMove, TaskState>>>> = {
  SAVED: { deploy: 'NORUN', delete: 'SAVED' },
  NORUN: { deploy: 'NORUN', start: 'RUN', terminate: 'SAVED', delete: 'NORUN' },
  RUN: { deploy: 'RUN', start: 'RUN', stop: 'PAUSE', failed: 'PAUSE', terminate: 'SAVED' },
  PAUSE: { deploy: 'PAUSE', start: 'RUN', stop: 'PAUSE', failed: 'PAUSE', terminate: 'SAVED', delete: 'PAUSE' },
};

const WHY: Readonly<Record<TaskState, string>> = {
  SAVED: 'is saved but not deployed: call DeployDISyncTask first',
  NORUN: 'is deployed and was never started: call StartDISyncInstance',
  RUN: 'is running: call StopDISyncInstance first',
  PAUSE: 'is stopped',
};

/** The one place where a task's state changes. Errors: TaskError `wrong-state` that says what to do. */
export function moveTask(state: TaskState, move: TaskMove, fileId: bigint): TaskState {
  const next = MOVES[state][move];
  if (next === undefined) throw new TaskError('wrong-state', 'Task.WrongState', `fileId:[${fileId}] ${WHY[state]}.`);
  return next;
}
