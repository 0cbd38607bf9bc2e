import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CallSpec, callSpec, makeCall, mustBeAlone, several } from './control-plane-calls.ts';
import { type Beliefs, byValue, explain, firstOf, stringify } from './control-plane-explain.ts';
import { refusedRun, restarted, timedOut } from './control-plane-model.ts';
import { type Call, type Model, type Task, isReady } from './control-plane-state.ts';
import type { World } from './control-plane-world.ts';

export type Step = fc.AsyncCommand<Beliefs, World>;

/** So many calls can be made again. */
const RECENT = 6;

/** Everything that can happen. */
export const STEPS: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: callSpec.map((spec) => new Calls([spec])) },
  { weight: 6, arbitrary: several.map((specs) => new Calls(specs)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(RECENT - 1), fc.integer({ min: 1, max: 2 }))
      .map(([back, times]) => new Again(back, times)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.oneof(several, fc.tuple(callSpec)), fc.nat(60))
      .map(([specs, turns]) => new Crash(specs, turns)),
  },
  { weight: 1, arbitrary: fc.boolean().map((refuseFirst) => new Restart(refuseFirst)) },
  { weight: 1, arbitrary: callSpec.map((spec) => new Hold({ ...spec, kind: 'generate' })) },
  { weight: 2, arbitrary: fc.boolean().map((outwaits) => (outwaits ? new Outwait() : new Release())) },
  { weight: 1, arbitrary: fc.boolean().map((away) => new Away(away)) },
  { weight: 1, arbitrary: fc.nat(4).map((days) => new Days(days)) },
);

/**
 * The way of a task up to its run, and through a change of its tables, as far as `length` goes: random steps alone are long to
 * come there.
 */
export function usualWay(length: number): readonly Step[] {
  const call = (kind: Call['kind'], who = 0, what = 3): CallSpec => ({
    kind,
    who,
    type: 0,
    subject: 0,
    what,
    token: 5,
  });
  const change = [call('generate', 1, 4), call('query'), call('update'), call('deploy')];
  const specs = [
    call('generate'),
    call('query'),
    call('create'),
    call('rule create'),
    call('deploy'),
    call('start'),
    ...change,
  ];
  return specs.slice(0, length).map((spec) => new Calls([spec]));
}

/** Whatever was, every process ends, and every task can be taken out of production and deleted. */
export function lastSteps(model: Model): readonly Step[] {
  const call = (kind: 'terminate' | 'delete', task: bigint, { project, type }: Task): Call => ({
    kind,
    task,
    caller: project,
    project,
    taskType: type,
  });
  const tasks = [...model.tasks];
  const running = tasks.filter(([, { state }]) => state !== 'SAVED');
  return [
    new Release(),
    new Ended(),
    ...running.map(([id, task]) => new Calls([], [call('terminate', id, task)])),
    ...tasks.map(([id, task]) => new Calls([], [call('delete', id, task)])),
  ];
}

/** Calls made at once: there must be an order of them that explains every answer, and what is there afterwards. */
class Calls implements Step {
  readonly #specs: readonly CallSpec[];
  #calls: readonly Call[];

  constructor(specs: readonly CallSpec[], calls: readonly Call[] = []) {
    this.#specs = specs;
    this.#calls = calls;
  }

  check(): boolean {
    return true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    if (this.#specs.length > 0) this.#calls = makeCalls(this.#specs, beliefs);
    await answerFirst(this.#calls, beliefs, world);
    const answers = await world.call(this.#calls);
    await explain(beliefs, world, this.#calls, answers, (model) => model);
  }

  toString(): string {
    return `Calls(${this.#calls.map(stringify).join(', ')})`;
  }
}

/** A call is made once more, as clients do that heard nothing, or twice at once. */
class Again implements Step {
  readonly #back: number;
  readonly #times: number;
  #call: Call | null = null;

  constructor(back: number, times: number) {
    this.#back = back;
    this.#times = times;
  }

  check({ recent }: Beliefs): boolean {
    return recent[this.#back] !== undefined;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    const call = beliefs.recent[this.#back];
    if (call === undefined) return;
    this.#call = call;
    await new Calls(
      [],
      Array.from({ length: this.#times }, () => call),
    ).run(beliefs, world);
  }

  toString(): string {
    return `Again(${this.#times}, ${stringify(this.#call)})`;
  }
}

/** The service is cut off while it works on calls. */
class Crash implements Step {
  readonly #specs: readonly CallSpec[];
  readonly #turns: number;
  #calls: readonly Call[] = [];

  constructor(specs: readonly CallSpec[], turns: number) {
    this.#specs = specs;
    this.#turns = turns;
  }

  check(): boolean {
    return true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    this.#calls = makeCalls(this.#specs, beliefs);
    await answerFirst(this.#calls, beliefs, world);
    const answers = await world.crash(this.#calls, this.#turns, firstOf(beliefs));
    await explain(beliefs, world, this.#calls, answers, restarted);
  }

  toString(): string {
    return `Crash(${this.#turns}, ${this.#calls.map(stringify).join(', ')})`;
  }
}

class Restart implements Step {
  readonly #refuseFirst: boolean;

  constructor(refuseFirst: boolean) {
    this.#refuseFirst = refuseFirst;
  }

  check(): boolean {
    return true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    await world.restart(this.#refuseFirst);
    await explain(beliefs, world, [], [], (model) => {
      const [first] = [...model.tasks].flatMap(([id, { state }]) => (state === 'RUN' ? [id] : [])).sort(byValue);
      const resumed = first !== undefined && this.#refuseFirst ? refusedRun(model, first, 'Run.NotResumed') : model;
      return restarted(resumed);
    });
  }

  toString(): string {
    return this.#refuseFirst ? 'Restart(the first run is refused)' : 'Restart';
  }
}

/** From now on, the source does not answer: a plan is begun that waits for it. */
class Hold implements Step {
  readonly #planning: Calls;

  constructor(generate: CallSpec) {
    this.#planning = new Calls([generate]);
  }

  check({ models }: Beliefs): boolean {
    const [model] = models;
    return model?.held === false && isReady(model, 'ours') && isReady(model, 'theirs');
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    world.hold();
    beliefs.models = beliefs.models.map((model) => ({ ...model, held: true }));
    await this.#planning.run(beliefs, world);
  }

  toString(): string {
    return `Hold, ${this.#planning.toString()}`;
  }
}

class Release implements Step {
  check({ models }: Beliefs): boolean {
    return models[0]?.held === true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    await world.release();
    await explain(beliefs, world, [], [], (model) => ({ ...model, held: false }));
  }

  toString(): string {
    return 'Release';
  }
}

/** The source does not answer for longer than planning waits. */
class Outwait implements Step {
  check({ models }: Beliefs): boolean {
    return models[0]?.held === true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    await world.outwait(firstOf(beliefs).processes.size);
    await explain(beliefs, world, [], [], timedOut);
  }

  toString(): string {
    return 'Outwait';
  }
}

class Away implements Step {
  readonly #away: boolean;

  constructor(away: boolean) {
    this.#away = away;
  }

  check({ models }: Beliefs): boolean {
    return models[0]?.held === false;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    world.setAway(this.#away);
    beliefs.models = beliefs.models.map((model) => ({ ...model, away: this.#away }));
  }

  toString(): string {
    return this.#away ? 'Away' : 'Back';
  }
}

class Days implements Step {
  readonly #days: number;

  constructor(days: number) {
    this.#days = days;
  }

  check(): boolean {
    return true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    world.passDays(this.#days);
    beliefs.models = beliefs.models.map((model) => ({ ...model, day: model.day + this.#days }));
  }

  toString(): string {
    return `Days(${this.#days})`;
  }
}

/** No process is stuck. */
class Ended implements Step {
  check(): boolean {
    return true;
  }

  async run(beliefs: Beliefs, world: World): Promise<void> {
    const { processes } = await world.observe(firstOf(beliefs).processes.keys(), []);
    assert.deepEqual(
      [...processes].filter(([, state]) => state === 'running'),
      [],
      'processes are stuck',
    );
  }

  toString(): string {
    return 'Ended';
  }
}

function makeCalls(specs: readonly CallSpec[], beliefs: Beliefs): readonly Call[] {
  const model = firstOf(beliefs);
  const isAlone = specs.length === 1;
  const calls = specs.flatMap((spec) => {
    if (mustBeAlone(spec) && (!isAlone || model.held)) return [];
    return makeCall(spec, model, isAlone) ?? [];
  });
  beliefs.recent = [...calls.filter((call) => !mustBeAlone(call)), ...beliefs.recent].slice(0, RECENT);
  return calls;
}

/** Calls that may ask the source wait for it as long as planning may: it answers first. */
async function answerFirst(calls: readonly Call[], beliefs: Beliefs, world: World): Promise<void> {
  const mayAsk = calls.some(({ kind }) => ['create', 'update', 'job create', 'job update'].includes(kind));
  const release = new Release();
  if (mayAsk && release.check(beliefs)) await release.run(beliefs, world);
}
