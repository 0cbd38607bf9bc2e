import {
  type Addressed,
  type CallOf,
  done,
  type Effect,
  fail,
  INVALID,
  isKnown,
  isReady,
  isTaken,
  type Model,
  NOT_NOW,
  refused,
  saved,
  type Side,
  type Task,
  type Version,
  withoutTask,
  withTask,
} from './control-plane-state.ts';

/*
 * The promises of jobs, files, alarm rules and data sources: the same tasks seen in other ways, and what hangs on them.
 */

type Extra = CallOf<
  | 'job create'
  | 'job update'
  | 'job start'
  | 'job stop'
  | 'job delete'
  | 'job get'
  | 'list jobs'
  | 'list files'
  | 'get file'
  | 'delete file'
  | 'rule create'
  | 'rule update'
  | 'rule get'
  | 'rule delete'
  | 'list rules'
  | 'source create'
  | 'source update'
  | 'source delete'
  | 'list sources'
>;

export function isExtra(call: { readonly kind: string }): call is Extra {
  return / /.test(call.kind) && call.kind !== 'run fails';
}

/** What a call comes to that was answered. */
export function extraEffect(model: Model, call: Extra, id: bigint): Effect {
  switch (call.kind) {
    case 'job create':
      return inProject(model, call, () => createJob(model, call, id));
    case 'job update':
      return withJob(model, call, (task) => updateJob(model, call, task));
    case 'job start':
      return withJob(model, call, (task) => startJob(model, call, task));
    case 'job stop':
      return withJob(model, call, (task) => {
        if (task.state === 'SAVED' || task.state === 'NORUN') return refused(model, NOT_NOW);
        const stopped = task.state === 'RUN' ? { ...task, state: 'PAUSE' as const, failure: null } : task;
        return done(withTask(model, call.task, stopped));
      });
    case 'job delete':
      return withJob(model, call, ({ state }) =>
        state === 'RUN' ? refused(model, NOT_NOW) : done(withoutTask(model, call.task)),
      );
    case 'job get':
      return withJob(model, call, (task) =>
        done(model, { DIJobId: call.task, JobName: task.name, ...(call.alone ? { JobStatus: statusOf(task) } : {}) }),
      );
    case 'list jobs':
    case 'list files':
      return inProject(model, call, () => done(model, { Ids: newestFirst(tasksOf(model, call.project)) }));
    case 'get file':
      return withFile(model, call, ({ versions, deployed }) => {
        const version = versions.length;
        const node = deployed === null ? null : call.task;
        return done(model, { CurrentVersion: version, CommitStatus: deployed === version ? 1 : 0, NodeId: node });
      });
    case 'delete file':
      return withFile(model, call, ({ state }) =>
        state === 'RUN' ? fail(model, /is running/) : done(withoutTask(model, call.task)),
      );
    case 'rule create':
      return withJob(model, call, () => {
        const { task, enabled, seconds } = call;
        const isNew = id > 0n && !model.givenRules.has(id);
        const rules = new Map(model.rules).set(id, { task, enabled, seconds });
        const next = { ...model, rules, givenRules: new Set(model.givenRules).add(id) };
        return done(next, { DIAlarmRuleId: isNew ? id : 'a new id' });
      });
    case 'rule update':
      return withRule(model, call, ({ task }) => {
        const { rule, enabled, seconds } = call;
        return done({ ...model, rules: new Map(model.rules).set(rule, { task, enabled, seconds }) });
      });
    case 'rule get':
      return withRule(model, call, ({ task, enabled, seconds }) =>
        done(model, { DIJobId: task, Enabled: enabled, Threshold: seconds }),
      );
    case 'rule delete':
      return withRule(model, call, () =>
        done({ ...model, rules: new Map([...model.rules].filter(([known]) => known !== call.rule)) }),
      );
    case 'list rules':
      return withJob(model, call, () => {
        const own = [...model.rules].flatMap(([rule, { task }]) => (task === call.task ? [rule] : []));
        return done(model, { Ids: newestFirst(own) });
      });
    case 'source create':
      return inProject(model, call, () => {
        const key = `${call.project} ${call.name}`;
        if (model.sources.has(key)) return refused(model, 'ConnectionAlreadyExist');
        return done({ ...model, sources: new Map(model.sources).set(key, { id, enabled: true }) });
      });
    case 'source update':
      return withSource(model, call, (key) => {
        const { source: known, enabled } = call;
        return done({ ...model, sources: new Map(model.sources).set(key, { id: known, enabled }) });
      });
    case 'source delete':
      return withSource(model, call, (key) => {
        // Every task has these two at its ends.
        const isUsed = /(?:source|sink)$/.test(key) && tasksOf(model, call.caller).length > 0;
        if (isUsed) return refused(model, NOT_NOW);
        return done({ ...model, sources: new Map([...model.sources].filter(([known]) => known !== key)) });
      });
    case 'list sources':
      return inProject(model, call, () => {
        const names = [...model.sources.keys()].flatMap((key) => {
          const [side, name] = key.split(' ');
          return side === call.project ? [name] : [];
        });
        return done(model, { Names: new Set(names) });
      });
  }
}

/** How far a call may have come that takes several steps, where the service ended meanwhile; its end is not among them. */
export function partsOf(model: Model, call: { readonly kind: string }): readonly Model[] {
  if (!isExtra(call) || (call.kind !== 'job update' && call.kind !== 'job start')) return [];
  const task = jobOf(model, call);
  if (task === undefined) return [];
  if (call.kind === 'job update') {
    const version = nextVersion(model, call, task);
    return version === null ? [] : [withVersion(model, call.task, task, version)];
  }
  const terminated = call.again && task.state !== 'RUN' ? { ...task, ...TERMINATED } : task;
  const state = terminated.state === 'SAVED' ? 'NORUN' : terminated.state;
  const deployed = { ...terminated, state, deployed: task.versions.length };
  return [terminated, deployed].map((part) => withTask(model, call.task, part));
}

const TERMINATED = { state: 'SAVED', deployed: null, startParam: null, failure: null } as const;

function createJob(model: Model, { project, name, tables }: CallOf<'job create'>, id: bigint): Effect {
  if (isTaken(model, project, name)) return refused(model, 'Invalid.DI.Parameter.File.Existed');
  if (model.away || !isReady(model, project) || !tables.every(isKnown)) return refused(model, INVALID);
  const version: Version = { tables: joined(tables, {}, 1), content: null, form: 'selectedTables' };
  const isNew = id > 700_000n && !model.given.has(id);
  const task: Task = {
    project,
    type: 'DI_REALTIME',
    name,
    state: 'SAVED',
    versions: [version],
    deployed: null,
    startParam: null,
    failure: null,
  };
  return done(
    { ...withTask(model, id, task), given: new Set(model.given).add(id) },
    { DIJobId: isNew ? id : 'a new id' },
  );
}

/** Planned anew in any case; a version where it comes to something else, and deployed at once where it runs. */
function updateJob(model: Model, call: CallOf<'job update'>, task: Task): Effect {
  const tables = call.tables ?? Object.keys(saved(task).tables);
  if (model.away || !isReady(model, task.project) || !tables.every(isKnown)) return refused(model, INVALID);
  const version = nextVersion(model, call, task);
  const next = version === null ? task : { ...task, versions: [...task.versions, version] };
  const deployed = next.state === 'RUN' ? next.versions.length : next.deployed;
  return done(withTask(model, call.task, { ...next, deployed }));
}

/** Null where nothing of what runs would change. */
function nextVersion(model: Model, call: CallOf<'job update'>, task: Task): Version | null {
  const before = saved(task);
  const tables = call.tables ?? Object.keys(before.tables);
  if (model.away || !isReady(model, task.project) || !tables.every(isKnown)) return null;
  const next = joined(tables, before.tables, task.versions.length + 1);
  const isSame = before.form === 'selectedTables' && Object.keys(before.tables).join() === Object.keys(next).join();
  return isSame ? null : { tables: next, content: null, form: 'selectedTables' };
}

function startJob(model: Model, call: CallOf<'job start'>, task: Task): Effect {
  if (task.state === 'RUN') {
    if (call.again || task.startParam !== null) return refused(model, NOT_NOW);
    const isDeployed = task.deployed === task.versions.length;
    if (!isDeployed && !isReady(model, task.project)) return refused(model, NOT_NOW);
    return done(withTask(model, call.task, { ...task, deployed: task.versions.length }));
  }
  const begun = call.again ? { ...task, ...TERMINATED } : task;
  // Forgotten is what it had, whatever comes after.
  if (!isReady(model, task.project)) return refused(withTask(model, call.task, begun), NOT_NOW);
  const started = { state: 'RUN', deployed: task.versions.length, startParam: null, failure: null } as const;
  return done(withTask(model, call.task, { ...begun, ...started }));
}

function withVersion(model: Model, id: bigint, task: Task, version: Version): Model {
  return withTask(model, id, { ...task, versions: [...task.versions, version] });
}

function joined(tables: readonly string[], before: Readonly<Record<string, number>>, version: number) {
  return Object.fromEntries(tables.map((table) => [table, before[table] ?? version]));
}

function statusOf({ state, failure }: Task): string {
  switch (state) {
    case 'SAVED':
    case 'NORUN':
      return 'Initialized';
    case 'RUN':
      return 'Running';
    case 'PAUSE':
      return failure === null ? 'Stopped' : 'Failed';
  }
}

function tasksOf({ tasks }: Model, project: Side): readonly bigint[] {
  return [...tasks].flatMap(([id, task]) => (task.project === project ? [id] : []));
}

function newestFirst(ids: readonly bigint[]): readonly bigint[] {
  return ids.toSorted((one, other) => (one < other ? 1 : -1));
}

function inProject(model: Model, { caller, project }: Addressed, work: () => Effect): Effect {
  return caller === project ? work() : refused(model, 'Forbidden.DI.NoPrivilege');
}

function jobOf(model: Model, { caller, task: id }: { caller: Side; task: bigint }): Task | undefined {
  const task = model.tasks.get(id);
  return task?.project === caller ? task : undefined;
}

function withJob(model: Model, call: { caller: Side; task: bigint }, work: (task: Task) => Effect): Effect {
  const task = jobOf(model, call);
  return task === undefined ? refused(model, INVALID) : work(task);
}

function withFile(model: Model, call: Addressed & { task: bigint }, work: (task: Task) => Effect): Effect {
  return inProject(model, call, () => {
    const task = model.tasks.get(call.task);
    return task?.project === call.project
      ? work(task)
      : fail(model, new RegExp(`^fileId:\\[${call.task}\\] is invalid\\.$`));
  });
}

type Rule = Model['rules'] extends ReadonlyMap<bigint, infer R> ? R : never;

function withRule(
  model: Model,
  { caller, rule: id }: { caller: Side; rule: bigint },
  work: (rule: Rule) => Effect,
): Effect {
  const rule = model.rules.get(id);
  const isOwn = rule !== undefined && model.tasks.get(rule.task)?.project === caller;
  return isOwn ? work(rule) : refused(model, INVALID);
}

function withSource(
  model: Model,
  { caller, source: id }: { caller: Side; source: bigint },
  work: (key: string) => Effect,
): Effect {
  const key = [...model.sources].find(([name, source]) => source.id === id && name.startsWith(`${caller} `))?.[0];
  return key === undefined ? refused(model, 'Invalid.Tenant.ConnectionNotExists') : work(key);
}
