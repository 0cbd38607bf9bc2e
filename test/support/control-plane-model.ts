import { isDeepStrictEqual } from 'node:util';
import { extraEffect, isExtra, partsOf } from './control-plane-jobs.ts';
import {
  type Addressed,
  type Answer,
  type Call,
  type CallOf,
  changeProcesses,
  done,
  type Effect,
  fail,
  isKnown,
  isReady,
  isTaken,
  type Model,
  type Process,
  refused,
  saved,
  type Side,
  type Task,
  type Version,
  withoutTask,
  withTask,
} from './control-plane-state.ts';

/** By which an answer says what it made. */
const IDS = ['FileId', 'ProcessId', 'DIAlarmRuleId', 'SourceId', 'DIJobId'];
/** Days that processes and ClientTokens are kept. */
const KEPT_DAYS = 7;

/** The models that may be there once `call` was answered like this. */
export function after(model: Model, call: Call, answer: Answer): readonly Model[] {
  if (answer.kind === 'lost') {
    const effects = [...answer.ids, 0n].map((id) => effectOf(model, call, id));
    const ends = effects.filter(({ answer: { kind } }) => kind === 'done').map((effect) => effect.model);
    return [model, ...partsOf(model, call), ...ends];
  }
  // Planning may come to its end while the question for it waits.
  const before = call.kind === 'query' ? [model, settled(model, call.process)] : [model];
  return before
    .map((one) => effectOf(one, call, idIn(answer)))
    .filter((effect) => matches(effect.answer, answer))
    .map((effect) => learn(effect.model, call, answer));
}

/** What must have been answered, for a report. */
export function expected(model: Model, call: Call): object {
  const { answer } = effectOf(model, call, 0n);
  return answer.kind === 'fail' ? { ...answer, message: String(answer.message) } : answer;
}

/** Planning that nothing holds back comes to its end: all of it, or one process. */
export function settled(model: Model, only: bigint | null = null): Model {
  if (model.held) return model;
  const fails = ({ project, tables }: Process) => model.away || !isReady(model, project) || !tables.every(isKnown);
  return changeProcesses(model, (process, id) =>
    process.state === 'running' && (only === null || only === id)
      ? { ...process, state: fails(process) ? 'fail' : 'success' }
      : process,
  );
}

/** Planning waited too long for the source. */
export function timedOut(model: Model): Model {
  return changeProcesses(model, (process) => (process.state === 'running' ? { ...process, state: 'fail' } : process));
}

/** A new process of the service: what is old is forgotten, what was unfinished is taken up. */
export function restarted(model: Model): Model {
  const isKept = ({ day }: { readonly day: number }) => model.day - day < KEPT_DAYS;
  return {
    ...model,
    processes: new Map([...model.processes].filter(([, process]) => isKept(process) || process.state === 'running')),
    tokens: new Map([...model.tokens].filter(([, token]) => isKept(token))),
  };
}

/** The next run that the engine was to take up was refused. */
export function refusedRun(model: Model, task: bigint, failure: string): Model {
  const found = model.tasks.get(task);
  return found === undefined ? model : withTask(model, task, { ...found, state: 'PAUSE', failure });
}

function effectOf(model: Model, call: Call, id: bigint): Effect {
  if (call.kind === 'run fails') return runFails(model, call.task);
  if (isExtra(call)) return extraEffect(model, call, id);
  if (call.caller !== call.project) return refused(model, 'Forbidden.DI.NoPrivilege');
  if (call.taskType === 'DI_OFFLINE') return refused(model, 'Invalid.DI.Parameter');
  switch (call.kind) {
    case 'generate':
      return generate(model, call, id);
    case 'query':
      return query(model, call);
    case 'create':
      return create(model, call, id);
    case 'update':
      return withOwn(model, call, (task) => update(model, call, task));
    case 'get':
      return withOwn(model, call, (task) => done(model, codeOf(task)));
    case 'info':
      return withOwn(model, call, (task) => done(model, shownOf(task, call.alone)));
    case 'deploy':
      return withOwn(model, call, (task) => {
        if (!isReady(model, call.project)) return fail(model, /datasource:\[\w+\] is/);
        const state = task.state === 'SAVED' ? 'NORUN' : task.state;
        return done(withTask(model, call.task, { ...task, state, deployed: task.versions.length }));
      });
    case 'start':
      return start(model, call);
    case 'stop':
      return withOwn(model, call, (task) => stop(model, call, task));
    case 'terminate':
      return withOwn(model, call, (task) => {
        if (task.state === 'SAVED') return fail(model, /is saved but not deployed/);
        const forgotten = { deployed: null, startParam: null, failure: null };
        return done(withTask(model, call.task, { ...task, state: 'SAVED', ...forgotten }));
      });
    case 'delete':
      return withOwn(model, call, (task) => {
        if (task.state === 'RUN') return fail(model, /is running: call StopDISyncInstance first/);
        return done(withoutTask(model, call.task));
      });
  }
}

function generate(model: Model, call: CallOf<'generate'>, id: bigint): Effect {
  const { task, tables, name, token, project, taskType } = call;
  if (task === null && tables.length === 0) return refused(model, 'Invalid.DI.Parameter');
  const operation = `generate for ${task === null ? 'creating' : 'updating'}`;
  return once(model, { project, operation, token, asked: asked([taskType, tables, name, task]) }, 'ProcessId', () => {
    const found = task === null ? null : own(model, call, task);
    if (found === undefined) return fail(model, unknownFile(task));
    if (tables.length === 0) return refused(model, 'Invalid.DI.Parameter');
    if (task === null && name !== null && isTaken(model, project, name))
      return refused(model, 'Invalid.DI.Parameter.File.Existed');
    const base = found?.versions.length ?? 0;
    const process: Process = {
      project,
      type: taskType,
      task,
      base,
      tables,
      state: 'running',
      content: null,
      day: model.day,
    };
    const processes = new Map(model.processes).set(id, process);
    return giveOut({ ...model, processes }, 'ProcessId', id);
  });
}

function query(model: Model, { project, process: id, taskType }: CallOf<'query'>): Effect {
  const process = model.processes.get(id);
  if (process === undefined || process.project !== project || process.type !== taskType)
    return fail(model, new RegExp(`^processId:\\[${id}\\] is invalid\\.$`));
  switch (process.state) {
    case 'running':
      return done(model, { Status: 'running', TaskContent: null });
    case 'fail':
      return fail(model, /Generate again with a new ClientToken once it is corrected/);
    case 'success':
      return done(model, process.content === null ? { Status: 'success' } : { TaskContent: process.content });
  }
}

function create(model: Model, call: CallOf<'create'>, id: bigint): Effect {
  const { project, name, content, token, taskType } = call;
  return once(
    model,
    { project, operation: 'create', token, asked: asked([taskType, name, parse(content)]) },
    'FileId',
    () => {
      if (isTaken(model, project, name)) return refused(model, 'Invalid.DI.Parameter.File.Existed');
      const version = versionOf(model, { project, task: null, versions: [], content });
      if (version instanceof RegExp) return fail(model, version);
      const task: Task = {
        project,
        type: taskType,
        name,
        state: 'SAVED',
        versions: [version],
        deployed: null,
        startParam: null,
        failure: null,
      };
      return giveOut(withTask(model, id, task), 'FileId', id);
    },
  );
}

function update(model: Model, call: CallOf<'update'>, task: Task): Effect {
  const { task: id, content, project } = call;
  const before = saved(task).content;
  if (content === null || (before !== null && isDeepStrictEqual(parse(content), parse(before)))) return done(model);
  const version = versionOf(model, { project, task: id, versions: task.versions, content });
  if (version instanceof RegExp) return fail(model, version);
  return done(withTask(model, id, { ...task, versions: [...task.versions, version] }));
}

function start(model: Model, call: CallOf<'start'>): Effect {
  const isRead = call.startParam !== null && call.taskType !== 'DI_SOLUTION';
  const startParam = isRead ? JSON.stringify(parse(call.startParam)) : null;
  if (startParam?.includes('"count":-1') === true) return refused(model, 'Invalid.DI.Parameter');
  return withOwn(model, call, (task) => {
    switch (task.state) {
      case 'SAVED':
        return fail(model, /call DeployDISyncTask first/);
      case 'RUN':
        return task.startParam === startParam ? done(model) : fail(model, /is running with another StartParam/);
      case 'NORUN':
      case 'PAUSE':
        if (!isReady(model, call.project)) return fail(model, /datasource:\[\w+\] is/);
        return done(withTask(model, call.task, { ...task, state: 'RUN', startParam, failure: null }));
    }
  });
}

function stop(model: Model, { task: id }: { readonly task: bigint }, task: Task): Effect {
  switch (task.state) {
    case 'SAVED':
      return fail(model, /is saved but not deployed/);
    case 'NORUN':
      return fail(model, /was never started/);
    case 'RUN':
      return done(withTask(model, id, { ...task, state: 'PAUSE', failure: null }));
    case 'PAUSE':
      return done(model);
  }
}

function runFails(model: Model, id: bigint): Effect {
  const task = model.tasks.get(id);
  return done(task?.state === 'RUN' ? refusedRun(model, id, 'Test.Failed') : model);
}

/** The version that a content stands for, or what the answer says when it stands for none. */
function versionOf(
  model: Model,
  {
    project,
    task,
    versions,
    content,
  }: { project: Side; task: bigint | null; versions: readonly Version[]; content: string },
): Version | RegExp {
  const { tables, planned } = readContent(content);
  const process = planned === null ? undefined : model.processes.get(planned);
  const isOfThis = process?.state === 'success' && process.project === project && process.task === task;
  if (isOfThis && process.base !== versions.length) return /was planned against version/;
  const isPlanned = isOfThis && isDeepStrictEqual(parse(content), parse(process.content ?? 'null'));
  // Whatever is not a plan's content is planned by the call itself.
  if (!isPlanned && (model.away || !isReady(model, project) || !tables.every(isKnown)))
    return /^TaskContent cannot be used/;
  const before = versions.at(-1)?.tables ?? {};
  const since = Object.fromEntries(tables.map((table) => [table, before[table] ?? versions.length + 1]));
  return { content, tables: since, form: 'table' };
}

function readContent(content: string): { readonly tables: readonly string[]; readonly planned: bigint | null } {
  const { extend, steps } = parse(content) as {
    extend: { disync?: { processId: number } };
    steps: [{ parameter: { connection: [{ table: string[] }] } }];
  };
  const planned = extend.disync?.processId;
  return {
    tables: steps[0].parameter.connection[0].table,
    planned: planned === undefined ? null : BigInt(planned),
  };
}

/** A token replays its answer; with something else it is refused. */
function once(
  model: Model,
  { project, operation, token, asked: now }: { project: Side; operation: string; token: string | null; asked: string },
  key: string,
  work: () => Effect,
): Effect {
  if (token === null) return work();
  const place = `${project} ${operation} ${token}`;
  const known = model.tokens.get(place);
  if (known !== undefined)
    return known.asked === now ? done(model, { [key]: known.answer }) : refused(model, 'Invalid.DI.Parameter');
  const effect = work();
  const answer = effect.answer.kind === 'done' ? effect.answer.data[key] : undefined;
  if (typeof answer !== 'bigint') return effect;
  const tokens = new Map(model.tokens).set(place, { asked: now, answer, day: model.day });
  return { ...effect, model: { ...effect.model, tokens } };
}

function withOwn(model: Model, call: Addressed & { readonly task: bigint }, work: (task: Task) => Effect): Effect {
  const task = own(model, call, call.task);
  return task === undefined ? fail(model, unknownFile(call.task)) : work(task);
}

function own(model: Model, { project, taskType }: Addressed, id: bigint): Task | undefined {
  const task = model.tasks.get(id);
  return task?.project === project && task.type === taskType ? task : undefined;
}

function unknownFile(id: bigint | null): RegExp {
  return new RegExp(`^fileId:\\[${id}\\] is invalid\\.$`);
}

/** What the answer tells beyond what the model knew: the content of a plan. */
function learn(model: Model, call: Call, answer: Answer): Model {
  if (call.kind !== 'query' || answer.kind !== 'done') return model;
  const process = model.processes.get(call.process);
  const content = answer.data['TaskContent'];
  if (process === undefined || typeof content !== 'string') return model;
  return { ...model, processes: new Map(model.processes).set(call.process, { ...process, content }) };
}

function matches(wanted: Effect['answer'], answer: Exclude<Answer, { kind: 'lost' }>): boolean {
  switch (wanted.kind) {
    case 'done':
      return (
        answer.kind === 'done' &&
        Object.entries(wanted.data).every(([key, value]) => isDeepStrictEqual(answer.data[key], value))
      );
    case 'fail':
      return answer.kind === 'fail' && wanted.message.test(answer.message);
    case 'refused':
      return answer.kind === 'refused' && wanted.code === answer.code;
  }
}

function idIn(answer: Exclude<Answer, { kind: 'lost' }>): bigint {
  const ids = answer.kind === 'done' ? IDS.map((name) => answer.data[name]) : [];
  const id = ids.find((found) => found !== undefined);
  return typeof id === 'bigint' ? id : 0n;
}

/** Of what a job came to nobody was told. */
function codeOf(task: Task): Readonly<Record<string, unknown>> {
  const { content } = saved(task);
  return task.type === 'DI_SOLUTION' ? { Code: null } : content === null ? {} : { Code: content };
}

function shownOf({ type, name, state }: Task, alone: boolean): Readonly<Record<string, unknown>> {
  if (type === 'DI_SOLUTION') return { Name: null, Status: 'success' };
  return alone ? { Name: name, Status: state === 'SAVED' ? 'NORUN' : state } : { Name: name };
}

function asked(values: readonly unknown[]): string {
  return JSON.stringify(values, textOfBigint);
}

function parse(text: string): unknown {
  return JSON.parse(text);
}

function textOfBigint(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** A new id: processes have theirs below 700,001, tasks from there on. */
function giveOut(model: Model, key: 'FileId' | 'ProcessId', id: bigint): Effect {
  const isNew = id > 0n && id > 700_000n === (key === 'FileId') && !model.given.has(id);
  return done({ ...model, given: new Set(model.given).add(id) }, { [key]: isNew ? id : 'a new id' });
}
