import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlarmSample, type AlarmState, evaluate, newAlarmState } from './alarm-evaluation.ts';
import type { AlarmCondition, AlarmRuleSpec } from './alarm-rule.ts';

const MINUTE = 60_000;
const FINE: Omit<AlarmSample, 'at'> = { shouldRun: true, isRunning: true, lagMs: 0, failovers: 0, ddl: {} };
const DOWN = { isRunning: false, lagMs: null };

type Rule = Pick<AlarmRuleSpec, 'metric' | 'conditions' | 'muteMinutes'>;

function rule(metric: Rule['metric'], ...conditions: readonly Partial<AlarmCondition>[]): Rule {
  const base = { severity: 'Warning', durationMinutes: null, threshold: null, ddl: null } as const;
  return { metric, muteMinutes: 5, conditions: conditions.map((one) => ({ ...base, ...one })) };
}

/** What a rule tells, minute by minute, of samples: `[minute, condition, value]`. */
function told(watched: Rule, samples: readonly Partial<AlarmSample>[], from?: AlarmState): number[][] {
  return news(watched, samples, from).flatMap(({ kind, row }) => (kind === 'holds' ? [row] : []));
}

/** Which conditions it says to be over, in the same way. */
function ended(watched: Rule, samples: readonly Partial<AlarmSample>[], from?: AlarmState): number[][] {
  return news(watched, samples, from).flatMap(({ kind, row }) => (kind === 'ended' ? [row] : []));
}

function news(watched: Rule, samples: readonly Partial<AlarmSample>[], from = newAlarmState(watched)) {
  let state = from;
  return samples.flatMap((sample, minute) => {
    const next = evaluate(watched, state, { ...FINE, at: minute * MINUTE, ...sample });
    state = next.state;
    return next.alarms.map(({ kind, condition, value }) => ({ kind, row: [minute, condition, value] }));
  });
}

const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

test('a delay is told of once it has held for its minutes, and again when the mute interval is over', () => {
  const delay = rule('Delay', { durationMinutes: 3, threshold: 60 });
  assert.deepEqual(told(delay, times(12, { lagMs: 60_000 })), [
    [3, 0, 60],
    [8, 0, 60],
  ]);
});

test('a delay below its limit is not told of', () => {
  assert.deepEqual(told(rule('Delay', { threshold: 60 }), times(9, { lagMs: 59_999 })), []);
});

test('a recovery begins the time anew', () => {
  const delay = rule('Delay', { durationMinutes: 3, threshold: 60 });
  const late = { lagMs: 90_000 };
  assert.deepEqual(told(delay, [late, late, late, FINE, late, late, late, late]), [[7, 0, 90]]);
});

test('a condition that comes and goes is quiet for the mute interval all the same', () => {
  const delay = rule('Delay', { threshold: 60 });
  const late = { lagMs: 90_000 };
  assert.deepEqual(told(delay, [late, FINE, late, FINE, late, FINE, late]), [
    [0, 0, 90],
    [6, 0, 90],
  ]);
});

test('a delay that is not known grows from the last that was', () => {
  const delay = rule('Delay', { threshold: 150 });
  assert.deepEqual(told(delay, [{ lagMs: 30_000 }, DOWN, DOWN, DOWN]), [[2, 0, 150]]);
  assert.deepEqual(told(delay, [DOWN, DOWN, DOWN, DOWN]), [[3, 0, 180]]);
});

test('a delay is not watched while the task is stopped, and begins anew with it', () => {
  const delay = rule('Delay', { threshold: 150 });
  const stopped = { ...DOWN, shouldRun: false };
  assert.deepEqual(told(delay, [{ lagMs: 100_000 }, stopped, stopped, stopped, DOWN, DOWN, DOWN]), []);
});

test('each condition has a time and a mute interval of its own', () => {
  const delay = rule(
    'Delay',
    { durationMinutes: 1, threshold: 60 },
    { severity: 'Critical', durationMinutes: 2, threshold: 120 },
  );
  const samples = [60, 60, 120, 120, 120, 120, 120, 60].map((seconds) => ({ lagMs: seconds * 1000 }));
  assert.deepEqual(told(delay, samples), [
    [1, 0, 60],
    [4, 1, 120],
    [6, 0, 120],
  ]);
});

test('a heartbeat is missed by a run that stands still or ended by an error, and not by one that was stopped', () => {
  const heartbeat = rule('Heartbeat', { durationMinutes: 1 });
  assert.deepEqual(told(heartbeat, [FINE, DOWN, DOWN, DOWN]), [[2, 0, 0]]);
  assert.deepEqual(told(heartbeat, times(9, { ...DOWN, shouldRun: false })), []);
  assert.deepEqual(told(heartbeat, [DOWN, { ...DOWN, shouldRun: false }, DOWN, DOWN]), [[3, 0, 0]]);
});

test('failovers are counted over the minutes before', () => {
  const failovers = rule('FailoverCount', { durationMinutes: 3, threshold: 3 });
  const counted = (...totals: readonly number[]) =>
    told(
      failovers,
      totals.map((total) => ({ failovers: total })),
    );
  assert.deepEqual(counted(0, 1, 2, 3), [[3, 0, 3]]);
  assert.deepEqual(counted(0, 1, 1, 2, 3, 3), []);
  assert.deepEqual(counted(7, 7, 7, 7), []);
});

test('a run that begins anew counts its failovers from none', () => {
  const failovers = rule('FailoverCount', { durationMinutes: 10, threshold: 3 });
  const totals = [5, 6, 1, 2].map((total) => ({ failovers: total }));
  assert.deepEqual(told(failovers, totals), [[3, 0, 3]]);
});

test('statements are told of at once, of the kinds that were asked for', () => {
  const all = rule('DdlReport', {});
  const one = rule('DdlReport', { ddl: ['DROPTABLE'] });
  const samples = [
    { ddl: { ADDCOLUMN: 4 } },
    { ddl: { ADDCOLUMN: 5, DROPTABLE: 1 } },
    { ddl: { ADDCOLUMN: 5, DROPTABLE: 1 } },
  ];
  assert.deepEqual(told(all, samples), [[1, 0, 2]]);
  assert.deepEqual(told(one, samples), [[1, 0, 1]]);
});

test('statements that come while it is quiet are told of with the next', () => {
  const totals = [0, 1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4].map((ADDCOLUMN) => ({ ddl: { ADDCOLUMN } }));
  assert.deepEqual(told(rule('DdlReport', {}), totals), [
    [1, 0, 1],
    [6, 0, 3],
  ]);
});

test('what was told before a restart is not told again until the mute interval is over', () => {
  const heartbeat = rule('Heartbeat', {});
  const restarted = newAlarmState(heartbeat, [{ at: -2 * MINUTE, isOpen: true }]);
  assert.deepEqual(told(heartbeat, times(5, DOWN), restarted), [[3, 0, 0]]);
});

test('what was told of is said to be over once, whatever is quiet, and what was not told of never', () => {
  const late = { lagMs: 90_000 };
  const delay = rule('Delay', { durationMinutes: 1, threshold: 60 });
  assert.deepEqual(ended(delay, [late, late, { lagMs: 59_000 }, FINE, FINE]), [[2, 0, 59]]);
  assert.deepEqual(ended(delay, [late, FINE, late, FINE]), []);
  const atOnce = rule('Delay', { threshold: 60 });
  assert.deepEqual(ended(atOnce, [late, FINE, late, FINE, late, FINE, late, FINE]), [
    [1, 0, 0],
    [7, 0, 0],
  ]);
});

test('a delay or a heartbeat is not over while a run begins, and is where the task is stopped', () => {
  const begins = { lagMs: null };
  const late = { lagMs: 90_000 };
  const delay = rule('Delay', { threshold: 60 });
  const restarted = newAlarmState(delay, [{ at: 0, isOpen: true }]);
  assert.deepEqual(ended(delay, [begins, begins, FINE], restarted), [[2, 0, 0]]);
  assert.deepEqual(ended(delay, [late, { ...DOWN, shouldRun: false }]), [[1, 0, 0]]);
  const heartbeat = rule('Heartbeat', {});
  assert.deepEqual(ended(heartbeat, [DOWN, begins, DOWN, begins, FINE, FINE]), [[4, 0, 0]]);
});

test('failovers are over once so few were counted over all of the time, and statements never', () => {
  const failovers = rule('FailoverCount', { durationMinutes: 2, threshold: 2 });
  const totals = [0, 2, 2, 2, 2].map((total) => ({ failovers: total }));
  assert.deepEqual(ended(failovers, totals), [[3, 0, 0]]);
  const restarted = newAlarmState(failovers, [{ at: 0, isOpen: true }]);
  assert.deepEqual(ended(failovers, [FINE, FINE, FINE, FINE], restarted), [[2, 0, 0]]);
  assert.deepEqual(ended(rule('DdlReport', {}), [{}, { ddl: { ADDCOLUMN: 1 } }, FINE, FINE]), []);
});
