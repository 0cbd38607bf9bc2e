import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, expected, settled } from './control-plane-model.ts';
import type { Answer, Call, Model, Task } from './control-plane-state.ts';
import type { Observed, ObservedTask, World } from './control-plane-world.ts';

/** What may be true: more than one model where a call was lost. */
export interface Beliefs {
  models: readonly Model[];
  /** The last calls, the newest first. */
  recent: readonly Call[];
  /** Of calls, by kind and answer. */
  readonly answers: Record<string, number>;
}

/** Keeps the models that some order of the calls leads to, and that agree with what is there. */
export async function explain(
  beliefs: Beliefs,
  world: World,
  calls: readonly Call[],
  answers: readonly Answer[],
  then: (model: Model) => Model,
): Promise<void> {
  for (const [index, { kind }] of calls.entries()) {
    const name = `${kind}: ${answers[index]?.kind}`;
    beliefs.answers[name] = (beliefs.answers[name] ?? 0) + 1;
  }
  const made = calls.map((call, index) => ({ call, answer: answers[index] ?? { kind: 'lost' as const, ids: [] } }));
  const possible = beliefs.models.flatMap((model) => inAnyOrder(model, made)).map((model) => settled(then(model)));
  if (possible.length === 0) throw new Error(describeAnswers(beliefs, made));
  const observed = await world.observe(
    new Set(possible.flatMap(({ processes }) => [...processes.keys()])),
    new Set(possible.flatMap(({ givenRules }) => [...givenRules])),
  );
  const agreeing = possible.filter((model) => isDeepStrictEqual(observed, observedIn(model, observed)));
  if (agreeing.length === 0) {
    const [model = firstOf(beliefs)] = possible;
    assert.deepEqual(observed, observedIn(model, observed), describeAnswers(beliefs, made));
  }
  beliefs.models = agreeing.filter(
    (model, index) => !agreeing.slice(0, index).some((one) => isDeepStrictEqual(one, model)),
  );
}

interface Made {
  readonly call: Call;
  readonly answer: Answer;
}

function inAnyOrder(model: Model, made: readonly Made[]): readonly Model[] {
  if (made.length === 0) return [model];
  return made.flatMap(({ call, answer }, index) =>
    after(model, call, answer).flatMap((next) => inAnyOrder(next, made.toSpliced(index, 1))),
  );
}

/** What must be seen where a model holds. */
function observedIn(model: Model, { tasks, processes }: Observed): Observed {
  const seen = [...model.tasks].sort(([a], [b]) => byValue(a, b));
  return {
    tasks: new Map(seen.map(([id, task]) => [id, seenOf(task, tasks.get(id))])),
    processes: new Map([...processes.keys()].map((id) => [id, model.processes.get(id)?.state ?? 'forgotten'])),
    rules: new Map([...model.rules].sort(([a], [b]) => byValue(a, b))),
    sources: new Map([...model.sources].sort(([a], [b]) => (a < b ? -1 : 1))),
    runs: new Map(
      seen.flatMap(([id, { state, versions, deployed }]) =>
        state === 'RUN' ? [[id, versions[(deployed ?? 0) - 1]?.tables ?? {}] as const] : [],
      ),
    ),
  };
}

/** A content that nobody was told is whatever is there. */
function seenOf({ versions, ...rest }: Task, observed: ObservedTask | undefined): ObservedTask {
  const version = versions.at(-1);
  if (version === undefined) throw new Error('a task without a version');
  const content = version.content ?? observed?.version.content ?? null;
  return { ...rest, saved: versions.length, version: { ...version, content } };
}

function describeAnswers(beliefs: Beliefs, made: readonly Made[]): string {
  const model = firstOf(beliefs);
  const lines = made.map(
    ({ call, answer }) =>
      `  ${stringify(call)}\n    was answered ${stringify(answer)}\n    alone it is ${stringify(expected(model, call))}`,
  );
  return `no order of these calls explains their answers and what is there:\n${lines.join('\n')}`;
}

export function firstOf({ models }: Beliefs): Model {
  const [model] = models;
  if (model === undefined) throw new Error('nothing is believed');
  return model;
}

/** For a report: scripts are long, and alike but for their tables and their mark. */
export function stringify(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if ((key !== 'content' && key !== 'TaskContent') || typeof part !== 'string')
      return key === 'Plan' ? undefined : part;
    return `${/"table":(\[[^\]]*\])/.exec(part)?.[1]} ${/"disync":\{[^}]*\}/.exec(part)?.[0] ?? 'without a mark'}`;
  });
}

export function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}
