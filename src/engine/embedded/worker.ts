// The composition root of a run: a worker thread that opens its two ends and moves changes until it is told to stop.
import { parentPort, workerData } from 'node:worker_threads';
import { armCrashPoint } from '../../lib/crash-point.ts';
import type { Logger } from '../../lib/log.ts';
import type { Offset } from '../../pipeline/offset.ts';
import type { Failure, TableProgress } from '../../pipeline/checkpoint.ts';
import type { SinkConnector, SourceConnector } from '../../pipeline/connector.ts';
import type { JournalEntry, SinkJournal } from '../../pipeline/journal.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { tableKey } from '../../pipeline/table.ts';
import type { CheckpointStore, RunPhase, RunStatus, StoredCheckpoint } from '../engine.ts';
import type { FromWorker, Question, ToWorker, WorkerData } from './messages.ts';
import { RunOrders } from './run-orders.ts';
import { runPipeline } from './run-pipeline.ts';
import type { RunState } from './run-state.ts';
import { supervise } from './supervise.ts';

const STATUS_EVERY_MS = 250;

const port = parentPort;
if (port === null) throw new Error('this module runs as a worker thread');
const { def, retryFailed, memory, connectors, crashPoint } = workerData as WorkerData;
armCrashPoint(crashPoint);
const { sources, sinks } = (await import(connectors)) as {
  sources: ReadonlyMap<string, SourceConnector>;
  sinks: ReadonlyMap<string, SinkConnector>;
};

const send = (message: FromWorker) => port.postMessage(message);
const log = remoteLog({});
const control = new RunOrders(def);
const stop = new AbortController();
const questions = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
let asked = 0;
let lastStates: string | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'apply':
      control.apply(message.def);
      return;
    case 'stop':
      shown.phase = 'stopping';
      show();
      stop.abort();
      return;
    case 'answer':
      waitingFor(message.id)?.resolve(message.value);
      return;
    case 'refusal':
      waitingFor(message.id)?.reject(refusal(message));
  }
});

function waitingFor(id: number) {
  const waiting = questions.get(id);
  questions.delete(id);
  return waiting;
}

function refusal({ message, failure }: Extract<ToWorker, { kind: 'refusal' }>): Error {
  if (failure === null) return new Error(message);
  const { code, remedy } = failure;
  return new PipelineError('transient', code, message, remedy === null ? {} : { hint: remedy });
}

/** Asks the main thread. Errors: PipelineError `transient` when it cannot now; Error with its message for a defect. */
function ask(question: Question): Promise<unknown> {
  asked += 1;
  const id = asked;
  send({ kind: 'ask', id, question });
  return new Promise((resolve, reject) => questions.set(id, { resolve, reject }));
}

/** Table states that the main thread has: a thousand of them are not sent again at every commit. */
const sent = new Map<string, TableProgress>();

const store: CheckpointStore = {
  load: async (owner) => (await ask({ kind: 'load', owner })) as StoredCheckpoint | null,
  save: async (owner, { checkpoint, heldBySink }) => {
    const tables = checkpoint.tables.filter((progress) => sent.get(tableKey(progress.table)) !== progress);
    await ask({ kind: 'save', owner, stored: { checkpoint: { ...checkpoint, tables }, heldBySink } });
    for (const progress of tables) sent.set(tableKey(progress.table), progress);
  },
  forget: () => Promise.reject(new Error('a run never forgets its checkpoint')),
};

const journal: SinkJournal = {
  read: async () => (await ask({ kind: 'read journal', owner: def.owner })) as JournalEntry,
  write: async (record, after) =>
    (await ask({ kind: 'write journal', owner: def.owner, record, after })) as number | null,
};

const shown: {
  phase: RunPhase;
  state: RunState | null;
  failure: Failure | null;
  nextTryAt: number | null;
  failovers: number;
} = {
  phase: 'starting',
  state: null,
  failure: null,
  nextTryAt: null,
  failovers: 0,
};

const source = open(sources, def.source.type).open({
  settings: def.source.settings,
  options: def.source.options,
  policies: def.policies,
  memoryBytes: memory.sourceBytes,
  log,
});
const sink = open(sinks, def.sink.type).open({
  settings: def.sink.settings,
  options: def.sink.options,
  sourceName: def.source.name,
  owner: def.owner,
  policies: def.policies,
  memoryBytes: memory.sinkBytes,
  journal,
  log,
});
const timer = setInterval(show, STATUS_EVERY_MS);
show();

const failure = await supervise({
  failover: def.policies.failover,
  log,
  signal: stop.signal,
  attempt: ({ first, alive }) =>
    runPipeline({
      source,
      sink,
      store,
      control,
      retryFailed: first && retryFailed,
      log,
      signal: stop.signal,
      report: (state, isWorking) => {
        const states = JSON.stringify([...state.tables.values()].map((table) => table.state));
        const changed = shown.state !== state || states !== lastStates || shown.phase !== 'running';
        lastStates = states;
        shown.state = state;
        if (isWorking) alive();
        if (shown.phase !== 'stopping') Object.assign(shown, { phase: 'running', failure: null, nextTryAt: null });
        if (changed) show();
      },
      filled: async (targets) => void (await ask({ kind: 'filled', owner: def.owner, targets })),
    }),
  onWaiting: (reason, nextTryAt, failovers) => {
    Object.assign(shown, { phase: 'backing-off', failure: reason, nextTryAt, failovers });
    show();
  },
});

clearInterval(timer);
await Promise.allSettled([source.close(), sink.close()]);
Object.assign(shown, { phase: failure === null ? 'stopped' : 'failed', failure, nextTryAt: null });
show();
send({ kind: 'ended', failure });
port.close();

function show(): void {
  const { state } = shown;
  const now = Date.now();
  const status: RunStatus = {
    phase: shown.phase,
    appliedVersion: state?.committedVersion ?? 0,
    wantedVersion: control.def.version,
    lagMs: state === null || shown.phase === 'backing-off' ? null : state.lagMs(now),
    heldMs: state?.heldMs(now) ?? null,
    offset: describeOffset(state?.offset ?? null),
    tables: [...(state?.tables.values() ?? [])].map((table) => ({ ...table, resume: null })),
    failure: shown.failure,
    nextTryAt: shown.nextTryAt,
    failovers: shown.failovers,
    rowsRead: state?.rowsRead ?? 0,
    rowsWritten: state?.rowsWritten ?? 0,
    bytesRead: state?.bytesRead ?? 0,
    dirtyRows: sink.dirtyRows,
    ddl: source.ddl,
    checkpointAt: state?.checkpointAt ?? null,
    watermarkAt: state?.watermarkAt ?? null,
  };
  send({ kind: 'status', status });
}

function describeOffset(offset: Offset | null): string | null {
  return offset === null
    ? null
    : JSON.stringify(offset, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function open<T>(list: ReadonlyMap<string, T>, type: string): T {
  const connector = list.get(type);
  if (connector === undefined) throw new Error(`there is no connector of type ${type}`);
  return connector;
}

/** The log of the main thread: one stream of lines, one place where secrets are kept out. */
function remoteLog(bound: object): Logger {
  const write = (level: 'error' | 'warn' | 'info' | 'debug') => (facts: object, event: string) =>
    send({ kind: 'log', level, facts: { ...bound, ...facts }, event });
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: (facts) => remoteLog({ ...bound, ...facts }),
  };
}
