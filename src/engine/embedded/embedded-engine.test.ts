import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { readTargetFile } from '../../../test/support/scripted-connectors.ts';
import { silentLog } from '../../lib/log.ts';
import type { CheckpointOwner, Failure } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import { DEFAULT_DDL_POLICIES } from '../../pipeline/policies.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { CheckpointStore, RunStatus, StoredCheckpoint } from '../engine.ts';
import { EmbeddedEngine } from './embedded-engine.ts';
import { MemoryJournals } from '../../../test/support/memory-journals.ts';

const ROWS = 30;
const CONNECTORS = new URL('../../../test/support/scripted-connectors.ts', import.meta.url);

const folder = mkdtempSync(join(tmpdir(), 'disync-engine-'));
const engines: EmbeddedEngine[] = [];
// A test that fails leaves its run going: without this its worker keeps the file from ending.
after(async () => {
  await Promise.all(engines.map((engine) => engine.close(300)));
  rmSync(folder, { recursive: true, force: true });
});

let counter = 0;

/** An engine with one task of its own. */
class Scene {
  readonly task = String((counter += 1));
  readonly file = join(folder, `target-${this.task}.json`);
  readonly saved: StoredCheckpoint[] = [];
  readonly filled: TargetId[] = [];
  readonly failures: Failure[] = [];
  readonly engine: EmbeddedEngine;

  constructor() {
    const store: CheckpointStore = {
      load: async () => this.saved.at(-1) ?? null,
      save: async (_, stored) => void this.saved.push(stored),
      forget: async () => {},
    };
    this.engine = new EmbeddedEngine({
      store,
      journals: new MemoryJournals(),
      listener: {
        onFailed: (_: CheckpointOwner, failure: Failure) => this.failures.push(failure),
        onFilled: async (_: CheckpointOwner, targets: readonly TargetId[]) => void this.filled.push(...targets),
      },
      log: silentLog,
      memoryMb: 192,
      crashPoint: null,
      connectors: CONNECTORS,
    });
    engines.push(this.engine);
  }

  define(version: number, tables: readonly string[], changes: Partial<PipelineDef> = {}): PipelineDef {
    return {
      owner: { installation: 'here', task: this.task, incarnation: 'first' },
      version,
      source: {
        name: 'source',
        type: 'mysql',
        settings: { jdbcUrl: '', rows: ROWS, tables: ['a', 'b', 'c'] },
        options: {},
      },
      sink: { name: 'sink', type: 'holo', settings: { endpoint: '', file: this.file }, options: {} },
      routes: tables.map((table) => ({
        table: { database: 'shop', table },
        target: { schema: 'shop', table },
        load: 'full',
        since: version,
      })),
      policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 10, intervalMinutes: 5 } },
      start: null,
      filled: [],
      ...changes,
    };
  }

  /** Lets the worker suffer something at its next commit. */
  mark(fate: 'crash' | 'hang' | 'throw'): void {
    writeFileSync(`${this.file}.${fate}`, '');
  }

  suffered(fate: 'crash' | 'hang' | 'throw'): boolean {
    return existsSync(`${this.file}.${fate}ed`);
  }

  async until(what: string, isTrue: (status: RunStatus) => boolean): Promise<RunStatus> {
    for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) {
      const status = this.engine.status(this.task);
      if (status !== null && isTrue(status)) return status;
    }
    throw new Error(`not within 20 s: ${what}; ${JSON.stringify(this.engine.status(this.task))}`);
  }

  untilStreaming(tables: readonly string[]): Promise<RunStatus> {
    return this.until(`${tables.join()} stream`, ({ tables: shown, phase, checkpointAt }) => {
      const streaming = shown.filter(({ state }) => state === 'STREAMING').map(({ table }) => table.table);
      return phase === 'running' && checkpointAt !== null && tables.every((table) => streaming.includes(table));
    });
  }

  /** Waits until the target holds so many rows of each table; after 10 s they are compared. */
  async untilAtTarget(expected: Readonly<Record<string, number>>): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!isDeepStrictEqual({ ...this.rowsAtTarget() }, expected) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(this.rowsAtTarget(), expected);
  }

  rowsAtTarget(): Record<string, number> {
    const { tables } = readTargetFile(this.file);
    return Object.fromEntries(Object.entries(tables).map(([key, rows]) => [key.replace('shop\0', ''), rows.length]));
  }
}

void test('a run loads its tables, applies a newer version live, and ends flushed', async () => {
  const scene = new Scene();
  const { engine, task } = scene;
  assert.equal(engine.status(task), null);
  const first = scene.define(1, ['a', 'b']);
  await engine.start(first);
  await assert.rejects(engine.start(first), /runs already/);
  const running = await scene.untilStreaming(['a', 'b']);
  assert.deepEqual([running.appliedVersion, running.failure, running.failovers], [1, null, 0]);
  // A state is shown once its rows are written; they are durable with the next commit.
  await scene.untilAtTarget({ a: ROWS, b: ROWS });
  const [a] = first.routes;
  assert.ok(a !== undefined);
  const second = { ...scene.define(2, ['c']), routes: [a, ...scene.define(2, ['c']).routes] };
  await engine.apply(second);
  const applied = await scene.until('version 2', ({ appliedVersion }) => appliedVersion === 2);
  assert.equal(applied.wantedVersion, 2);
  const streaming = await scene.untilStreaming(['a', 'c']);
  assert.deepEqual(
    streaming.tables.map(({ table, state, resume }) => [table.table, state, resume]),
    [
      ['a', 'STREAMING', null],
      ['b', 'REMOVED', null],
      ['c', 'STREAMING', null],
    ],
  );
  await engine.stop(task);
  const stopped = engine.status(task);
  assert.deepEqual([stopped?.phase, stopped?.failure, scene.failures], ['stopped', null, []]);
  assert.deepEqual(scene.rowsAtTarget(), { a: ROWS, b: ROWS, c: ROWS });
  const held = readTargetFile(scene.file).checkpoint;
  assert.deepEqual([scene.saved.at(-1)?.checkpoint.sequence, scene.saved.at(-1)?.heldBySink], [held?.sequence, true]);
  assert.deepEqual(scene.filled.map(({ table }) => table).sort(), ['a', 'b', 'c']);
  assert.equal(engine.statuses().size, 0);
  await engine.stop(task);
});

void test('a stopped run goes on from its checkpoint and loads nothing twice', async () => {
  const scene = new Scene();
  const def = scene.define(1, ['a']);
  await scene.engine.start(def);
  await scene.untilStreaming(['a']);
  await scene.engine.stop(scene.task);
  const before = readTargetFile(scene.file).checkpoint?.tables;
  await scene.engine.start(def);
  await scene.until('running', ({ phase }) => phase === 'running');
  await scene.engine.stop(scene.task);
  assert.deepEqual(readTargetFile(scene.file).checkpoint?.tables, before);
});

void test('a worker that dies is started again from the checkpoint, and shows why it waits', async () => {
  const scene = new Scene();
  scene.mark('crash');
  await scene.engine.start(scene.define(1, ['a', 'b']));
  const waiting = await scene.until('back-off', ({ phase }) => phase === 'backing-off');
  assert.equal(waiting.failure?.code, 'Run.WorkerCrashed');
  assert.ok((waiting.nextTryAt ?? 0) > Date.now() - 1000);
  const running = await scene.untilStreaming(['a', 'b']);
  assert.deepEqual([running.failovers, running.failure, scene.suffered('crash')], [1, null, true]);
  await scene.untilAtTarget({ a: ROWS, b: ROWS });
  await scene.engine.stop(scene.task);
  assert.deepEqual(scene.failures, []);
});

void test('a newer version that comes while a worker is dead is what the next one runs', async () => {
  const scene = new Scene();
  const first = scene.define(1, ['a']);
  scene.mark('crash');
  await scene.engine.start(first);
  await scene.until('back-off', ({ phase }) => phase === 'backing-off');
  await scene.engine.apply({ ...first, version: 2, routes: [...first.routes, ...scene.define(2, ['b']).routes] });
  const running = await scene.untilStreaming(['a', 'b']);
  assert.equal(running.appliedVersion, 2);
  await scene.engine.stop(scene.task);
});

void test('a stop ends a run that waits for its next try', async () => {
  const scene = new Scene();
  scene.mark('crash');
  await scene.engine.start(scene.define(1, ['a']));
  await scene.until('back-off', ({ phase }) => phase === 'backing-off');
  await scene.engine.stop(scene.task);
  assert.equal(scene.engine.status(scene.task)?.phase, 'stopped');
});

void test('a defect within a run is tried again like an outage', async () => {
  const scene = new Scene();
  scene.mark('throw');
  await scene.engine.start(scene.define(1, ['a']));
  const waiting = await scene.until('back-off', ({ phase }) => phase === 'backing-off');
  assert.deepEqual([waiting.failure?.code, waiting.failure?.message], ['Run.Unexpected', 'a defect, scripted']);
  await scene.untilStreaming(['a']);
  await scene.engine.stop(scene.task);
  await scene.untilAtTarget({ a: ROWS });
});

void test('a run over its limit of failovers ends by itself, with a reason and what to do', async () => {
  const scene = new Scene();
  const def = scene.define(1, ['a']);
  const policies = { ...def.policies, failover: { count: 0, intervalMinutes: 5 } };
  scene.mark('crash');
  await scene.engine.start({ ...def, policies });
  const failed = await scene.until('failed', ({ phase }) => phase === 'failed');
  assert.deepEqual(scene.failures, [failed.failure]);
  assert.match(failed.failure?.remedy ?? '', /Then start the task: it goes on from its checkpoint/);
  await scene.engine.start(def);
  await scene.untilStreaming(['a']);
  await scene.engine.stop(scene.task);
});

void test('a run whose connector is not there ends as a failed one, and says which', async () => {
  const scene = new Scene();
  const def = scene.define(1, ['a'], { source: { name: 'source', type: 'nothing', settings: {}, options: {} } });
  const policies = { ...def.policies, failover: { count: 0, intervalMinutes: 5 } };
  await scene.engine.start({ ...def, policies });
  await scene.until('failed', ({ phase }) => phase === 'failed');
  assert.match(scene.failures[0]?.message ?? '', /no connector of type nothing/);
});

void test('closing ends every run within its time, also one whose sink never answers', async () => {
  const scene = new Scene();
  scene.mark('hang');
  await scene.engine.start(scene.define(1, ['a']));
  await scene.until('hanging', () => scene.suffered('hang'));
  const begun = Date.now();
  await scene.engine.close(300);
  assert.ok(Date.now() - begun < 3000, `it took ${Date.now() - begun} ms`);
  assert.deepEqual([scene.engine.status(scene.task)?.phase, scene.failures], ['stopped', []]);
});

void test('a stop that comes at once, before the worker is up, ends the run all the same', async () => {
  const scene = new Scene();
  await scene.engine.start(scene.define(1, ['a']));
  await scene.engine.stop(scene.task);
  assert.equal(scene.engine.status(scene.task)?.phase, 'stopped');
});
