/**
 * The steps behind which something is durable that was not before. A test ends the process with SIGKILL right before or
 * right after any of them, each once (test/fault/crash-points.test.ts), so that no order of theirs goes unseen.
 */
export const CRASH_STEPS = [
  'process accepted',
  'process ended',
  'version saved',
  'deploy saved',
  'start saved',
  'stop saved',
  'finish saved',
  'alarm saved',
  'alarm told',
  'filled targets saved',
  'checkpoint recovered',
  'checkpoint saved',
  'journal written',
  'target altered',
  'rows stored',
  'session committed',
  'targets prepared',
  'table set applied',
  'shape changed',
  'chunk merged',
  'records sent',
  'sink commit',
] as const;

export type CrashStep = (typeof CRASH_STEPS)[number];
export type CrashPoint = `before ${CrashStep}` | `after ${CrashStep}`;

export const CRASH_POINTS: readonly CrashPoint[] = CRASH_STEPS.flatMap((step): CrashPoint[] => [
  `before ${step}`,
  `after ${step}`,
]);

/** The one place of the process that is to be its last; null but in tests. */
let armed: CrashPoint | null = null;

/** Each thread arms its own: the setting `crashPoint` goes to all of them. */
export function armCrashPoint(point: CrashPoint | null): void {
  armed = point;
}

export function crashPoint(point: CrashPoint): void {
  if (armed === point) endAtOnce();
}

/** Does a step between its two points. */
export async function withCrashPoints<T>(step: CrashStep, work: () => Promise<T>): Promise<T> {
  if (armed === null) return work();
  crashPoint(`before ${step}`);
  const result = await work();
  crashPoint(`after ${step}`);
  return result;
}

function endAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  // From a worker thread the signal may take a moment: nothing more is done in it.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
