import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { FaultPlace, Faults } from '../../src/connectors/memory/faults.ts';
import { MemoryServer } from '../../src/connectors/memory/memory-server.ts';
import { MemorySink, MemoryTarget } from '../../src/connectors/memory/sink.ts';
import { MemorySource } from '../../src/connectors/memory/source.ts';
import { RunOrders } from '../../src/engine/embedded/run-orders.ts';
import { runPipeline } from '../../src/engine/embedded/run-pipeline.ts';
import type { CheckpointStore, StoredCheckpoint } from '../../src/engine/engine.ts';
import { isAbort } from '../../src/lib/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Checkpoint, TableProgress } from '../../src/pipeline/checkpoint.ts';
import type { PipelineDef } from '../../src/pipeline/pipeline-def.ts';
import { PipelineError } from '../../src/pipeline/pipeline-error.ts';
import { DEFAULT_DDL_POLICIES } from '../../src/pipeline/policies.ts';
import type { Route, TargetId } from '../../src/pipeline/route.ts';
import { type TableId, tableKey } from '../../src/pipeline/table.ts';

const TABLES: readonly TableId[] = ['a', 'b', 'c', 'd'].map((table) => ({ database: 'shop', table }));
const IDS = 14;
const SETTLE_MS = 20_000;

/** A way through a run: how many things happen, and how often something goes wrong. */
export interface SimOptions {
  readonly seed: number;
  readonly steps: number;
}

/**
 * One run of the real pipeline over connectors in memory, in virtual time: writes, live adds and removes, outages,
 * commits that fail before and after they are durable, tables that the sink refuses, stops and crashes, all drawn from the
 * seed. Throws when, once it has come to rest, the sink is not what the source is, or when an offset went back on the way.
 */
export async function simulatePipeline({ seed, steps }: SimOptions): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
  const world = new World(seed);
  try {
    await world.live(steps);
    await world.comeToRest();
    world.check();
  } catch (error) {
    throw new Error(
      `seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n${world.story.join('\n')}`,
      {
        cause: error,
      },
    );
  } finally {
    await world.end();
    mock.timers.reset();
  }
}

/** Durable: what outlives a crash. And one life of the process at a time. */
class World {
  readonly story: string[] = [];
  readonly #random: () => number;
  readonly #server = new MemoryServer();
  readonly #target = new MemoryTarget();
  readonly #store: SimStore;
  readonly #holds: boolean;
  readonly #refused = new Set<string>();
  readonly #filled = new Map<string, TargetId>();
  #def: PipelineDef;
  #life: Life | null = null;
  #isCalm = false;
  #value = 0;

  constructor(seed: number) {
    this.#random = mulberry32(seed);
    this.#holds = this.pick(2) === 0;
    this.#store = new SimStore(this, this.#holds);
    for (const table of TABLES) this.#server.createTable(table);
    for (const table of TABLES) for (let id = 0; id < this.pick(IDS); id++) this.#write([[table, id]]);
    const routes = TABLES.filter(() => this.pick(2) === 0).map((table) => this.#route(table, 1));
    this.#def = this.#define(1, routes.length === 0 ? [this.#route(TABLES[0] as TableId, 1)] : routes);
    this.story.push(`the sink ${this.#holds ? 'holds' : 'does not hold'} the checkpoint`);
  }

  pick(below: number): number {
    return below <= 0 ? 0 : Math.floor(this.#random() * below);
  }

  chance(probability: number): boolean {
    return !this.#isCalm && this.#random() < probability;
  }

  async live(steps: number): Promise<void> {
    this.#start();
    for (let step = 0; step < steps; step++) {
      await this.#act();
      await this.#pass(this.pick(3) === 0 ? this.pick(40) : this.pick(4));
    }
  }

  /** No more faults and writes; failed tables are tried again by another version. */
  async comeToRest(): Promise<void> {
    this.#isCalm = true;
    if (this.#life === null) this.#start();
    for (let time = 0; time < SETTLE_MS; time += 50) {
      await this.#pass(50);
      this.#life?.throwError();
      if (this.#isAtRest()) return;
      if (time % 2000 === 1950) this.#deploy([...this.#def.routes]);
    }
    throw new Error(`does not come to rest: ${JSON.stringify(this.#durable())} at ${this.#server.position}`);
  }

  check(): void {
    const wanted = new Set(this.#def.routes.map(({ table }) => tableKey(table)));
    for (const { table, target } of this.#def.routes)
      assert.deepEqual(sorted(this.#target.rows(target)), sorted(this.#server.rows(table)), `table ${table.table}`);
    const left = (this.#durable()?.tables ?? []).filter(({ table }) => !wanted.has(tableKey(table)));
    for (const progress of left) this.#checkLeft(progress);
  }

  async end(): Promise<void> {
    this.#life?.kill(false);
    await this.#pass(1000);
  }

  remember(targets: readonly TargetId[]): void {
    for (const target of targets) this.#filled.set(target.table, target);
  }

  fail(place: FaultPlace): void {
    if (!this.chance(0.015)) return;
    this.story.push(`${Date.now() % 1_000_000}: ${place} fails`);
    throw new PipelineError('transient', 'Sim.Away', `${place} failed`);
  }

  /** A table that left got nothing after the place where it left; exact only where rows and checkpoint are one. */
  #checkLeft({ table, state, resume }: TableProgress): void {
    assert.equal(state, 'REMOVED', `table ${table.table} is not wanted`);
    if (!this.#holds || resume === null) return;
    const { at, was } = resume as { at: number; was: string };
    // What the sink refused it has not, whatever became of the table.
    if (was !== 'STREAMING' || this.#refused.has(table.table)) return;
    assert.deepEqual(
      sorted(this.#target.rows(this.#route(table, 1).target)),
      sorted(this.#server.rowsAt(table, at)),
      `table ${table.table}, which left at ${at}`,
    );
  }

  /** What has been promised: tables that stream are exact at every checkpoint that the sink holds. */
  #checkDurable(): void {
    const { checkpoint } = this.#target;
    if (!this.#holds || checkpoint === null) return;
    const { position, skip } = checkpoint.offset as { position: number; skip: number };
    if (skip !== 0) return;
    for (const { table, state } of checkpoint.tables) {
      if (state !== 'STREAMING') continue;
      const { target } = this.#route(table, 1);
      assert.deepEqual(
        sorted(this.#target.rows(target)),
        sorted(this.#server.rowsAt(table, position)),
        `${table.table} at ${position}`,
      );
    }
  }

  #durable(): Checkpoint | null {
    return this.#holds ? this.#target.checkpoint : (this.#store.stored?.checkpoint ?? null);
  }

  #isAtRest(): boolean {
    const checkpoint = this.#durable();
    if (checkpoint === null || checkpoint.version !== this.#def.version) return false;
    const { position } = checkpoint.offset as { position: number };
    const states = new Map(checkpoint.tables.map(({ table, state }) => [tableKey(table), state]));
    return (
      position === this.#server.position &&
      this.#def.routes.every(({ table }) => states.get(tableKey(table)) === 'STREAMING')
    );
  }

  async #act(): Promise<void> {
    this.#life?.throwError();
    if (this.#life === null) {
      this.#start();
      return;
    }
    const dice = this.pick(100);
    if (dice < 70) this.#writeSome();
    else if (dice < 80) this.#deploy(this.#otherTables());
    else if (dice < 84) this.#crash();
    else if (dice < 88) await this.#stop();
    else if (dice < 92) this.#refuse(TABLES[this.pick(TABLES.length)] as TableId);
  }

  #refuse(table: TableId): void {
    this.story.push(`${Date.now() % 1_000_000}: ${table.table} will be refused`);
    this.#refused.add(table.table);
    this.#life?.refuse(table);
  }

  #writeSome(): void {
    const changes = Array.from(
      { length: 1 + this.pick(5) },
      () => [TABLES[this.pick(TABLES.length)] as TableId, this.pick(IDS)] as const,
    );
    this.#write(changes);
  }

  #write(rows: readonly (readonly [TableId, number])[]): void {
    this.#server.commit(
      rows.map(([table, id]) => ({ table, id, value: this.pick(4) === 0 ? null : (this.#value += 1) })),
    );
  }

  /** Some stay, some leave, some join; one may leave and come back between two versions that are applied as one. */
  #otherTables(): Route[] {
    const version = this.#def.version + 1;
    const kept = new Map(this.#def.routes.map((route) => [tableKey(route.table), route]));
    const wanted = TABLES.filter((table) => this.pick(kept.has(tableKey(table)) ? 4 : 2) > 0);
    const tables = wanted.length === 0 ? [TABLES[0] as TableId] : wanted;
    return tables.map((table) => {
      const route = kept.get(tableKey(table));
      return route === undefined || this.pick(8) === 0 ? this.#route(table, version) : route;
    });
  }

  #deploy(routes: readonly Route[]): void {
    this.#def = this.#define(this.#def.version + 1, routes);
    this.story.push(
      `${Date.now() % 1_000_000}: version ${this.#def.version}: ${routes.map(({ table, since }) => `${table.table}${since}`).join(' ')}`,
    );
    this.#life?.control.apply(this.#def);
  }

  #start(): void {
    this.#def = this.#define(this.#def.version, this.#def.routes);
    this.story.push(`${Date.now() % 1_000_000}: start`);
    this.#life = new Life(this, {
      def: this.#def,
      server: this.#server,
      target: this.#target,
      store: this.#store,
      holdsCheckpoint: this.#holds,
    });
  }

  #crash(): void {
    const lands = this.pick(2) === 0;
    this.story.push(`${Date.now() % 1_000_000}: crash${lands ? ', its commit lands' : ''}`);
    this.#life?.kill(lands);
    this.#life = null;
    this.#store.revive();
    this.#checkDurable();
  }

  async #stop(): Promise<void> {
    const life = this.#life;
    this.story.push(`${Date.now() % 1_000_000}: stop`);
    life?.stop();
    for (let time = 0; life !== null && !life.isOver; time += 10) {
      await this.#pass(10);
      if (time > SETTLE_MS) throw new Error('does not stop');
    }
    life?.throwError();
    this.#life = null;
    this.#checkDurable();
  }

  #route(table: TableId, since: number): Route {
    return { table, target: { schema: 'shop', table: table.table }, load: 'full', since };
  }

  #define(version: number, routes: readonly Route[]): PipelineDef {
    return {
      owner: { installation: 'sim', task: '1', incarnation: 'first' },
      version,
      source: { name: 'source', type: 'memory', settings: {}, options: {} },
      sink: { name: 'sink', type: 'memory', settings: {}, options: {} },
      routes,
      policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 1, intervalMinutes: 1 } },
      start: null,
      filled: [...this.#filled.values()],
    };
  }

  /** Lets virtual time go by, and everything happen that is due. */
  async #pass(ms: number): Promise<void> {
    await idle();
    for (let time = 0; time < ms; time += 2) {
      mock.timers.tick(2);
      await idle();
    }
  }
}

interface LifeParts {
  readonly def: PipelineDef;
  readonly server: MemoryServer;
  readonly target: MemoryTarget;
  readonly store: SimStore;
  readonly holdsCheckpoint: boolean;
}

/** One process: tries again after an outage, until it is stopped or killed. */
class Life {
  readonly control: RunOrders;
  isOver = false;
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly #sink: MemorySink;
  readonly #refused = new Set<string>();
  readonly #store: SimStore;
  #isDead = false;
  #error: unknown = null;

  constructor(world: World, { def, server, target, store, holdsCheckpoint }: LifeParts) {
    this.#world = world;
    this.#store = store;
    this.control = new RunOrders(def);
    const faults: Faults = { at: (place) => this.#fault(place), pick: (below) => world.pick(below) };
    const source = new MemorySource(server, faults);
    this.#sink = new MemorySink(target, {
      holdsCheckpoint,
      faults,
      refuse: (tables) =>
        tables
          .filter((table) => this.#refused.delete(tableKey(table)))
          .map((table) => ({ table, error: new PipelineError('table', 'Sim.Refused', 'refused', { table }) })),
    });
    void this.#run(source);
  }

  refuse(table: TableId): void {
    this.#refused.add(tableKey(table));
  }

  stop(): void {
    this.#stop.abort();
  }

  kill(lands: boolean): void {
    this.#isDead = true;
    this.#sink.kill(lands);
    this.#stop.abort();
  }

  throwError(): void {
    if (this.#error !== null) throw this.#error;
  }

  async #run(source: MemorySource): Promise<void> {
    for (let first = true; !this.#stop.signal.aborted; first = false) {
      try {
        await runPipeline({
          source,
          sink: this.#sink,
          store: this.#store.open(),
          control: this.control,
          retryFailed: first,
          log: silentLog,
          signal: this.#stop.signal,
          report: () => {},
          filled: async (targets) => {
            await this.#delay();
            this.#world.remember(targets);
          },
        });
      } catch (error) {
        if (this.#isDead) return;
        if (isAbort(error, this.#stop.signal)) break;
        if (!(error instanceof PipelineError && error.kind === 'transient')) this.#error ??= error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    this.isOver = true;
  }

  async #fault(place: FaultPlace): Promise<void> {
    await this.#delay();
    this.#world.fail(place);
  }

  async #delay(): Promise<void> {
    if (this.#world.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, 1 + this.#world.pick(15)));
    // A process that was killed does nothing more.
    if (this.#isDead) await new Promise(() => {});
  }
}

/** Our own store: slow, durable, and never going back. */
class SimStore {
  stored: StoredCheckpoint | null = null;
  readonly #world: World;
  readonly #holds: boolean;
  #life = 0;

  constructor(world: World, holds: boolean) {
    this.#world = world;
    this.#holds = holds;
  }

  /** The process that had it open has ended. */
  revive(): void {
    this.#life += 1;
  }

  open(): CheckpointStore {
    const life = this.#life;
    const wait = async () => {
      if (this.#world.chance(0.4)) await new Promise((resolve) => setTimeout(resolve, 1 + this.#world.pick(20)));
      if (life !== this.#life) await new Promise(() => {});
    };
    return {
      load: async () => {
        await wait();
        return this.stored;
      },
      save: async (_, stored) => {
        await wait();
        this.#mustGoOn(stored);
        this.stored = stored;
        await wait();
      },
      forget: async () => {},
    };
  }

  /** I2. */
  #mustGoOn({ checkpoint, heldBySink }: StoredCheckpoint): void {
    assert.equal(heldBySink, this.#holds);
    if (this.stored === null) return;
    const before = this.stored.checkpoint;
    if (this.#holds) assert.ok(checkpoint.sequence > before.sequence, 'the copy goes back');
    else assert.equal(checkpoint.sequence, before.sequence + 1);
    assert.ok(
      placeOf(checkpoint) >= placeOf(before),
      `the offset goes back from ${placeOf(before)} to ${placeOf(checkpoint)}`,
    );
    assert.ok(checkpoint.version >= before.version, 'the version goes back');
  }
}

function placeOf({ offset }: Checkpoint): number {
  const { position, skip } = offset as { position: number; skip: number };
  return position * 100 + skip;
}

function sorted(rows: ReadonlyMap<number, number>): (readonly [number, number])[] {
  return [...rows].sort(([a], [b]) => a - b);
}

/** Lets everything run that waits for no timer. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A small generator of random numbers from 0 to 1, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
