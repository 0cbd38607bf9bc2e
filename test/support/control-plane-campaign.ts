import fc from 'fast-check';
import type { Beliefs } from './control-plane-explain.ts';
import { EMPTY } from './control-plane-state.ts';
import { lastSteps, STEPS, usualWay } from './control-plane-steps.ts';
import { World } from './control-plane-world.ts';

const STEPS_MAX = 20;
/** One folder serves so many sequences: what they leave behind slows the next ones down. */
const SEQUENCES_PER_FOLDER = 200;

export interface ControlPlaneResult {
  readonly sequences: number;
  readonly seconds: number;
  /** Calls, by kind and answer. */
  readonly answers: Readonly<Record<string, number>>;
  /** The shortest sequence found that breaks a promise, and how; null when none did. */
  readonly finding: string | null;
}

/**
 * Random sequences of operations on tasks, jobs, files, alarm rules and data sources, by callers of two projects, alone and at once, with the service restarted and cut
 * off between and within them, against the model: each answer must be one that the model allows in some order of the calls, and
 * after every step the store and the engine must be as the model says.
 */
export async function controlPlaneCampaign(options: {
  sequences: number;
  seed: number;
  say?: (line: string) => void;
}): Promise<ControlPlaneResult> {
  const { sequences, seed, say = () => {} } = options;
  const world = await World.make();
  const beliefs: Beliefs = { models: [EMPTY], recent: [], answers: {} };
  const begun = performance.now();
  let run = 0;
  let isSpoilt = false;
  const live = async (length: number, steps: Iterable<fc.AsyncCommand<Beliefs, World>>): Promise<void> => {
    run += 1;
    if (run % 5000 === 0) say(`${run} of ${sequences} sequences`);
    if (isSpoilt || run % SEQUENCES_PER_FOLDER === 0) await world.renew();
    isSpoilt = true;
    beliefs.models = [{ ...EMPTY, sources: await world.begin() }];
    beliefs.recent = [];
    await fc.asyncModelRun(() => ({ model: beliefs, real: world }), usualWay(length));
    await fc.asyncModelRun(() => ({ model: beliefs, real: world }), steps);
    await fc.asyncModelRun(() => ({ model: beliefs, real: world }), lastSteps(beliefs.models[0] ?? EMPTY));
    isSpoilt = false;
  };
  try {
    const property = fc.asyncProperty(fc.nat(10), fc.commands([STEPS], { maxCommands: STEPS_MAX, size: 'max' }), live);
    const details = await fc.check(property, { seed, numRuns: sequences });
    const finding = details.failed
      ? `${fc.defaultReportMessage(details) ?? 'no report'}\n${String(details.errorInstance)}`
      : null;
    return { sequences, seconds: (performance.now() - begun) / 1000, answers: beliefs.answers, finding };
  } finally {
    await world.end();
  }
}
