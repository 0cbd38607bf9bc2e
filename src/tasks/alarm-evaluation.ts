import type { DdlCounts, DdlKind } from '../pipeline/policies.ts';
import type { AlarmCondition, AlarmRuleSpec } from './alarm-rule.ts';

/** What is seen of a task at one moment. */
export interface AlarmSample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** It was started, and nobody stopped it: a run that ended by an error still ought to run. */
  readonly shouldRun: boolean;
  readonly isRunning: boolean;
  /** Null while it is not known. */
  readonly lagMs: number | null;
  /** Since the run began: it grows, and begins anew with a run. */
  readonly failovers: number;
  /** Statements on the task's tables, of each kind; the same. */
  readonly ddl: DdlCounts;
}

/** What is remembered of a rule between two samples. */
export interface AlarmState {
  /** When the first sample was taken; null before it. */
  readonly begunAt: number | null;
  readonly last: AlarmSample | null;
  /** The last lag that was known, and when. */
  readonly lag: { readonly ms: number; readonly at: number } | null;
  /** When failovers were seen, and how many, as far back as any condition counts. */
  readonly failovers: readonly { readonly at: number; readonly count: number }[];
  /** Parallel to the rule's conditions. */
  readonly conditions: readonly ConditionState[];
}

interface ConditionState {
  /** Since when it holds without a break; null while it does not. */
  readonly since: number | null;
  /** Statements that were not told of yet. */
  readonly pending: number;
  readonly told: Told;
}

/** What was told of a condition. */
export interface Told {
  /** When it was last told of. */
  readonly at: number | null;
  /** It was told of, and its end was not yet. */
  readonly isOpen: boolean;
}

/** A condition that is to be told of. */
export interface Alarm {
  /** Its place in the rule. */
  readonly condition: number;
  /** `ended`: it was told of, and holds no more. */
  readonly kind: 'holds' | 'ended';
  /** Delay: seconds; FailoverCount: failovers within the time; DdlReport: statements; Heartbeat: 0, for not running. */
  readonly value: number;
  readonly threshold: number;
}

type Rule = Pick<AlarmRuleSpec, 'metric' | 'conditions' | 'muteMinutes'>;

const MINUTE_MS = 60_000;

export const NOTHING_TOLD: Told = { at: null, isOpen: false };

/** Before the first sample; what was told of each condition as it was remembered. */
export function newAlarmState({ conditions }: Rule, told: readonly Told[] = []): AlarmState {
  return {
    begunAt: null,
    last: null,
    lag: null,
    failovers: [],
    conditions: conditions.map((_, index) => ({ since: null, pending: 0, told: told[index] ?? NOTHING_TOLD })),
  };
}

/**
 * What a rule says to one more sample. A condition is told of once it has held for its time, and again each time the mute
 * interval is over while it holds; a recovery begins its time anew, and leaves the mute interval as it is. Statements that
 * come while it is quiet are told of with the next. That one that was told of holds no more is told once, and only when that
 * is known.
 */
export function evaluate(
  rule: Rule,
  state: AlarmState,
  sample: AlarmSample,
): { readonly state: AlarmState; readonly alarms: readonly Alarm[] } {
  const { last } = state;
  const begunAt = state.begunAt ?? sample.at;
  const seen: Seen = {
    begunAt,
    sample,
    lagMs: lagOf(state, sample),
    failovers: countFailovers(rule, state, sample),
    ddl: (kinds) => (last === null ? 0 : newStatements(last, sample, kinds)),
  };
  const alarms: Alarm[] = [];
  const conditions = rule.conditions.map((condition, index) => {
    const { next, news } = step(rule, condition, state.conditions[index] ?? FRESH, seen);
    if (news === null) return next;
    alarms.push({ condition: index, ...news, threshold: thresholdOf(rule, condition) });
    return news.kind === 'ended'
      ? { ...next, told: { ...next.told, isOpen: false } }
      : { ...next, pending: 0, told: { at: sample.at, isOpen: rule.metric !== 'DdlReport' } };
  });
  const lag = sample.lagMs !== null ? { ms: sample.lagMs, at: sample.at } : state.lag;
  return {
    state: {
      begunAt,
      last: sample,
      lag: sample.shouldRun ? (lag ?? { ms: 0, at: sample.at }) : null,
      failovers: seen.failovers,
      conditions,
    },
    alarms,
  };
}

const FRESH: ConditionState = { since: null, pending: 0, told: NOTHING_TOLD };

interface Seen {
  readonly begunAt: number;
  readonly sample: AlarmSample;
  readonly lagMs: number | null;
  readonly failovers: AlarmState['failovers'];
  ddl(kinds: readonly DdlKind[] | null): number;
}

/** `news` where there is something to tell now. */
function step(
  { metric, muteMinutes }: Rule,
  condition: AlarmCondition,
  state: ConditionState,
  seen: Seen,
): { readonly next: ConditionState; readonly news: Pick<Alarm, 'kind' | 'value'> | null } {
  const { sample } = seen;
  const { at } = sample;
  const pending = metric === 'DdlReport' ? state.pending + seen.ddl(condition.ddl) : 0;
  const { holds, value } = look(metric, condition, { ...seen, pending });
  const since = holds ? (state.since ?? at) : null;
  const next = { ...state, since, pending };
  // Failovers are counted over the time: it need not pass once more. Statements are news at once.
  const waitMs = metric === 'Heartbeat' || metric === 'Delay' ? (condition.durationMinutes ?? 0) * MINUTE_MS : 0;
  const isQuiet = state.told.at !== null && at - state.told.at < muteMinutes * MINUTE_MS;
  if (since !== null) return { next, news: at - since >= waitMs && !isQuiet ? { kind: 'holds', value } : null };
  const isOver = state.told.isOpen && isKnown(metric, condition, seen);
  return { next, news: isOver ? { kind: 'ended', value } : null };
}

/** Whether a condition that does not hold is over for certain: not so while a run begins, or while too little was counted. */
function isKnown(metric: Rule['metric'], { durationMinutes }: AlarmCondition, { sample, begunAt }: Seen): boolean {
  if (!sample.shouldRun) return true;
  return metric === 'FailoverCount' ? sample.at - begunAt >= (durationMinutes ?? 0) * MINUTE_MS : sample.lagMs !== null;
}

function look(
  metric: Rule['metric'],
  { threshold, durationMinutes }: AlarmCondition,
  { sample, lagMs, failovers, pending }: Seen & { readonly pending: number },
): { readonly holds: boolean; readonly value: number } {
  switch (metric) {
    case 'Heartbeat':
      return { holds: sample.shouldRun && !sample.isRunning, value: 0 };
    case 'Delay': {
      const seconds = Math.floor((lagMs ?? 0) / 1000);
      return { holds: lagMs !== null && seconds >= (threshold ?? Infinity), value: seconds };
    }
    case 'FailoverCount': {
      const from = sample.at - (durationMinutes ?? 0) * MINUTE_MS;
      const count = failovers.filter(({ at }) => at > from).reduce((sum, one) => sum + one.count, 0);
      return { holds: count >= (threshold ?? Infinity), value: count };
    }
    case 'DdlReport':
      return { holds: pending > 0, value: pending };
  }
}

function thresholdOf({ metric }: Rule, { threshold }: AlarmCondition): number {
  return metric === 'Heartbeat' || metric === 'DdlReport' ? 1 : (threshold ?? 0);
}

/** While the source or the sink is away the lag is not known: it grows as time does. Null of a task that was stopped. */
function lagOf({ lag }: AlarmState, { at, shouldRun, lagMs }: AlarmSample): number | null {
  if (!shouldRun) return null;
  if (lagMs !== null) return lagMs;
  return lag === null ? 0 : lag.ms + (at - lag.at);
}

function countFailovers({ conditions }: Rule, { last, failovers }: AlarmState, sample: AlarmSample): Seen['failovers'] {
  const longest = Math.max(...conditions.map(({ durationMinutes }) => durationMinutes ?? 0)) * MINUTE_MS;
  const kept = failovers.filter(({ at }) => at > sample.at - longest);
  const count = last === null ? 0 : grown(last.failovers, sample.failovers);
  return count === 0 ? kept : [...kept, { at: sample.at, count }];
}

function newStatements(last: AlarmSample, { ddl }: AlarmSample, kinds: readonly DdlKind[] | null): number {
  const counted = (kinds ?? Object.keys(ddl)) as readonly DdlKind[]; // keys of `ddl`
  return counted.reduce((sum, kind) => sum + grown(last.ddl[kind] ?? 0, ddl[kind] ?? 0), 0);
}

/** A counter that fell has begun anew. */
function grown(before: number, now: number): number {
  return now < before ? now : now - before;
}
