import fc from 'fast-check';
import { type Call, type Model, NAMES, type Side } from './control-plane-state.ts';

/** One call, as numbers: which task, content, name it is about is read against the model when it is made. */
export interface CallSpec {
  readonly kind: Call['kind'];
  readonly who: number;
  readonly type: number;
  readonly subject: number;
  readonly what: number;
  readonly token: number;
}

const KINDS: readonly (readonly [Call['kind'], weight: number])[] = [
  ['query', 5],
  ['generate', 6],
  ['create', 3],
  ['update', 4],
  ['deploy', 4],
  ['start', 4],
  ['stop', 2],
  ['terminate', 1],
  ['delete', 1],
  ['get', 1],
  ['info', 2],
  ['run fails', 1],
  ['job create', 2],
  ['job update', 3],
  ['job start', 2],
  ['job stop', 1],
  ['job delete', 1],
  ['job get', 1],
  ['list jobs', 1],
  ['list files', 1],
  ['get file', 1],
  ['delete file', 1],
  ['rule create', 2],
  ['rule update', 2],
  ['rule get', 1],
  ['rule delete', 2],
  ['list rules', 1],
  ['source create', 1],
  ['source update', 1],
  ['source delete', 1],
  ['list sources', 1],
];

export const CALL_KINDS = KINDS.map(([kind]) => kind);

export const callSpec: fc.Arbitrary<CallSpec> = fc
  .tuple(
    fc.constantFrom(...KINDS.flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind))),
    fc.nat(31),
    fc.nat(31),
    fc.nat(15),
    fc.nat(31),
    fc.nat(5),
  )
  .map(([kind, who, type, subject, what, token]) => ({ kind, who, type, subject, what, token }));

const anyCalls = fc.array(callSpec, { minLength: 2, maxLength: 3 });
/** Calls of one kind, alike but for one number. */
const rivals = fc
  .tuple(callSpec, fc.constantFrom('what', 'token', 'subject'), fc.nat(15))
  .map(([spec, number, other]) => [spec, { ...spec, [number]: other }]);
/** Calls to be made at once. */
export const several = fc.oneof(anyCalls, rivals);

/** The call that numbers stand for, where this is the model; null when there is none, such as a content before the first plan. */
export function makeCall(spec: CallSpec, model: Model, alone: boolean): Call | null {
  const { kind, who, type, subject, what, token: tokenNumber } = spec;
  const caller: Side = who < 28 ? 'ours' : 'theirs';
  const project: Side = who === 27 || who === 31 ? (caller === 'ours' ? 'theirs' : 'ours') : caller;
  const task = idAmong(model, model.tasks, caller, subject);
  const process = idAmong(model, model.processes, caller, subject);
  const subjectType = kind === 'query' ? model.processes.get(process)?.type : model.tasks.get(task)?.type;
  const isNew = kind === 'create' || (kind === 'generate' && who % 2 === 0);
  const ofSubject = isNew ? (type < 10 ? 'DI_SOLUTION' : 'DI_REALTIME') : (subjectType ?? 'DI_REALTIME');
  const common = { caller, project, taskType: TYPES[type] ?? ofSubject } as const;
  const token = tokenNumber < 2 ? `token ${tokenNumber}` : null;
  switch (kind) {
    case 'generate': {
      const name = isNew && what >= 28 ? NAMES[what % NAMES.length] : null;
      return { kind, ...common, task: isNew ? null : task, tables: tablesOf(what), name: name ?? null, token };
    }
    case 'query':
      return { kind, ...common, process };
    case 'create': {
      const content = contentOf(model, caller, null, subject, what);
      return content === null ? null : { kind, ...common, name: NAMES[what % NAMES.length] ?? '', content, token };
    }
    case 'update':
      return { kind, ...common, task, content: what === 0 ? null : contentOf(model, caller, task, tokenNumber, what) };
    case 'start':
      return { kind, ...common, task, startParam: START_PARAMS[what] ?? null };
    case 'info':
      return { kind, ...common, task, alone };
    case 'job create':
      return { kind, ...common, name: NAMES[what % NAMES.length] ?? '', tables: someTables(what) };
    case 'job update':
      return { kind, ...common, task, tables: what < 8 ? null : someTables(what) };
    case 'job start':
      return { kind, ...common, task, again: what % 4 === 0 };
    case 'job get':
      return { kind, ...common, task, alone };
    case 'list jobs':
    case 'list files':
    case 'list sources':
      return { kind, ...common };
    case 'rule create':
      return { kind, ...common, task, enabled: what % 2 === 0, seconds: what + 1 };
    case 'rule update':
      return { kind, ...common, rule: ruleAmong(model, caller, subject), enabled: what % 2 === 0, seconds: what + 1 };
    case 'rule get':
    case 'rule delete':
      return { kind, ...common, rule: ruleAmong(model, caller, subject) };
    case 'source create':
      return { kind, ...common, name: SOURCE_NAMES[what % SOURCE_NAMES.length] ?? '' };
    case 'source update':
      return { kind, ...common, source: sourceAmong(model, caller, subject), enabled: what % 3 > 0 };
    case 'source delete':
      return { kind, ...common, source: sourceAmong(model, caller, subject) };
    case 'job stop':
    case 'job delete':
    case 'get file':
    case 'delete file':
    case 'list rules':
    case 'get':
    case 'deploy':
    case 'stop':
    case 'terminate':
    case 'delete':
    case 'run fails':
      return { kind, ...common, task };
  }
}

const SOURCE_NAMES = ['source', 'sink', 'other'];
/**
 * Calls that take several steps, each of which others may see, or on which it depends what a plan comes to that is on its way:
 * they are made alone, and while nothing waits.
 */
const ALONE: ReadonlySet<Call['kind']> = new Set([
  'job update',
  'job start',
  'source create',
  'source update',
  'source delete',
]);

export function mustBeAlone({ kind }: Pick<Call, 'kind'>): boolean {
  return ALONE.has(kind);
}

/** Whatever the task is. */
const TYPES: Readonly<Record<number, Call['taskType']>> = {
  29: 'DI_REALTIME',
  30: 'DI_SOLUTION',
  31: 'DI_OFFLINE',
};
const START_PARAMS: Readonly<Record<number, string>> = {
  0: '{}',
  1: '{"errorLimit":{"record":5}}',
  2: '{ "errorLimit": { "record": 5 } }',
  4: '{"failoverLimit":{"count":-1}}',
};

/** Mostly one of their own; now and then anybody's, one that was deleted, or none that ever was. */
function idAmong(
  { given }: Model,
  known: ReadonlyMap<bigint, { readonly project: Side }>,
  caller: Side,
  number: number,
): bigint {
  const any = [...known.keys()];
  if (number === 15) return 2n ** 63n - 1n;
  if (number === 14) return any.at(-1) ?? 0n;
  if (number === 13) return [...given].findLast((id) => !known.has(id)) ?? 0n;
  const own = any.filter((id) => known.get(id)?.project === caller);
  return own[own.length - 1 - (number % own.length)] ?? 1n;
}

function ruleAmong({ rules, tasks }: Model, caller: Side, number: number): bigint {
  const any = [...rules];
  const own = any.filter(([, { task }]) => tasks.get(task)?.project === caller);
  const among = number === 14 ? any : own;
  return number === 15 ? 2n ** 63n - 1n : (among[number % Math.max(1, among.length)]?.[0] ?? 1n);
}

/** Mostly one of the caller's. */
function sourceAmong({ sources }: Model, caller: Side, number: number): bigint {
  const any = [...sources];
  const own = any.filter(([key]) => key.startsWith(`${caller} `));
  const among = number === 14 ? any : own;
  return number === 15 ? 2n ** 63n - 1n : (among[number % Math.max(1, among.length)]?.[1].id ?? 1n);
}

/** A job has one at least. */
function someTables(number: number): readonly string[] {
  return tablesOf(number === 0 ? 1 : number);
}

function tablesOf(number: number): readonly string[] {
  if (number === 0) return [];
  if (number === 31) return ['a', 'x'];
  return ['a', 'b', 'c'].filter((_, index) => ((number % 7) + 1) & (1 << index));
}

/** The content of a plan as it came, without our mark, or with other tables; mostly of a plan for this task. */
function contentOf(model: Model, side: Side, task: bigint | null, number: number, what: number): string | null {
  const planned = [...model.processes.values()].filter(({ project, content }) => content !== null && project === side);
  const fitting = planned.filter((process) => process.task === task);
  const from = fitting.length === 0 || number === 1 ? planned : fitting;
  const content = from[from.length - 1 - (number % from.length)]?.content ?? null;
  if (content === null || what < 24) return content;
  const json = JSON.parse(content) as {
    extend: Record<string, unknown>;
    steps: [{ parameter: { connection: [{ table: readonly string[] }] } }, { parameter: Record<string, unknown> }];
  };
  if (what % 2 === 0) delete json.extend['disync'];
  if (what >= 28) {
    json.steps[0].parameter.connection[0].table = tablesOf(what);
    delete json.steps[1].parameter['tableMappingRule'];
  }
  return JSON.stringify(json);
}
