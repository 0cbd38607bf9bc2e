import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SchemaPart } from '../../src/pipeline/batch.ts';
import type { Checkpoint, CheckpointOwner, TableProgress } from '../../src/pipeline/checkpoint.ts';
import { DEFAULT_DDL_POLICIES, DEFAULT_FAILOVER_LIMIT, type Policies } from '../../src/pipeline/policies.ts';
import type { TargetId } from '../../src/pipeline/route.ts';
import type { Sink } from '../../src/pipeline/sink.ts';
import type { TableVersion, ValueType } from '../../src/pipeline/table.ts';
import { batchOf, deletes, empties, inserts, scriptedTable, updates, type ScriptedRow } from './scripted-rows.ts';

/** A sink with a real system behind it, as the contract's tests need it. */
export interface SinkUnderTest {
  open(owner: CheckpointOwner, policies: Policies): Sink;
  target(table: TableVersion['id']): TargetId;
  /** The target's rows, each value as text, ordered by the columns given. */
  read(target: TargetId, columns: readonly string[]): Promise<readonly (readonly (string | null)[])[]>;
  /** Takes the target away behind the sink's back. */
  remove(target: TargetId): Promise<void>;
  /** Cuts the sink's connections, as a crash of the server would. */
  cut(): Promise<void>;
  forget(owner: CheckpointOwner): Promise<void>;
  stop(): Promise<void>;
}

export interface SinkContractOptions {
  /** Whether this sink saves the checkpoint with the rows. */
  readonly holdsCheckpoint: boolean;
  /** Characters that a value may have; 40 MB unless the system takes less. */
  readonly longestText?: number;
  readonly start: () => Promise<SinkUnderTest>;
}

export const POLICIES: Policies = { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: DEFAULT_FAILOVER_LIMIT };
const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const TEXT: ValueType = { kind: 'text' };
/** Enough rows that a sink takes its way for many. */
const MANY = 1500;

let counter = 0;

/** What every sink by key promises (semantics/hologres.md, sections 5 and 7; pitfalls H1 to H10). */
export function sinkContract(
  name: string,
  { holdsCheckpoint, longestText = 40_000_000, start }: SinkContractOptions,
): void {
  void describe(`${name} keeps the contract of a sink`, () => {
    let system: SinkUnderTest;
    before(async () => {
      system = await start();
    });
    after(() => system.stop());

    /** A sink with one prepared table. */
    async function openWith(table: TableVersion, options: { owner?: CheckpointOwner; policies?: Policies } = {}) {
      const owner = options.owner ?? newOwner();
      const sink = system.open(owner, options.policies ?? POLICIES);
      const recovered = await sink.recover();
      const target = system.target(table.id);
      assert.deepEqual(await sink.prepare([{ table, target }]), []);
      const rows = () =>
        system.read(
          target,
          table.columns.map((column) => column.name),
        );
      let sequence = recovered?.sequence ?? 0;
      const commit = () => sink.commit(checkpoint(++sequence));
      return { sink, owner, target, rows, commit, recovered };
    }

    void it('has inserted, updated and loaded rows, and no deleted ones, once a commit returns', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'one'],
            [2, 'two'],
            [3, null],
          ]),
          inserts(table, [[4, 'four']], 'read'),
        ),
      );
      await sink.write(
        batchOf(
          updates(table, [
            [
              [2, 'two'],
              [2, 'zwei'],
            ],
          ]),
          deletes(table, [[3, null]]),
        ),
      );
      const result = await commit();
      assert.deepEqual(await rows(), [
        ['1', 'one'],
        ['2', 'zwei'],
        ['4', 'four'],
      ]);
      assert.deepEqual(result.failed, []);
      await sink.close();
    });

    void it('changes rows of earlier commits', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'a'],
            [2, 'b'],
            [3, 'c'],
          ]),
        ),
      );
      await commit();
      await sink.write(
        batchOf(
          updates(table, [
            [
              [1, 'a'],
              [1, null],
            ],
          ]),
          deletes(table, [[2, 'b']]),
        ),
      );
      await commit();
      assert.deepEqual(await rows(), [
        ['1', null],
        ['3', 'c'],
      ]);
      await sink.close();
    });

    void it('lets the last change of a key in a commit decide', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'old'],
            [2, 'old'],
          ]),
        ),
      );
      await commit();
      const parts = [
        deletes(table, [[1, 'old']]),
        inserts(table, [[1, 'back']]),
        inserts(table, [[3, 'gone']]),
        deletes(table, [[3, 'gone']]),
        updates(table, [
          [
            [2, 'old'],
            [2, 'newer'],
          ],
        ]),
        updates(table, [
          [
            [2, 'newer'],
            [2, 'the newest by far'],
          ],
        ]),
      ];
      await sink.write(batchOf(...parts));
      await commit();
      assert.deepEqual(await rows(), [
        ['1', 'back'],
        ['2', 'the newest by far'],
      ]);
      await sink.close();
    });

    void it('moves a row whose key changes, also when keys are swapped in one commit', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'a'],
            [2, 'b'],
            [5, 'e'],
          ]),
        ),
      );
      await commit();
      const swap = updates(table, [
        [
          [1, 'a'],
          [9, 'a'],
        ],
        [
          [2, 'b'],
          [1, 'b'],
        ],
        [
          [9, 'a'],
          [2, 'a'],
        ],
        [
          [5, 'e'],
          [6, 'f'],
        ],
      ]);
      await sink.write(batchOf(swap));
      await commit();
      assert.deepEqual(await rows(), [
        ['1', 'b'],
        ['2', 'a'],
        ['6', 'f'],
      ]);
      await sink.close();
    });

    void it('takes a composite key whose columns do not lead the table', async () => {
      const table = newTable({ note: TEXT, b: TEXT, a: INT, more: TEXT }, ['a', 'b']);
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            ['n1', 'x', 1, 'm'],
            ['n2', 'y', 1, 'm'],
            ['n3', 'x', 2, 'm'],
            ['n4', '', 1, 'm'],
          ]),
        ),
      );
      await commit();
      await sink.write(
        batchOf(
          deletes(table, [['n1', 'x', 1, 'm']]),
          updates(table, [
            [
              ['n3', 'x', 2, 'm'],
              ['N3', 'x', 2, null],
            ],
          ]),
        ),
      );
      await commit();
      assert.deepEqual(await rows(), [
        ['N3', 'x', '2', null],
        ['n2', 'y', '1', 'm'],
        ['n4', '', '1', 'm'],
      ]);
      await sink.close();
    });

    void it('takes a table that is all key', async () => {
      const table = newTable({ a: INT, b: TEXT }, ['a', 'b']);
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'x'],
            [1, 'y'],
          ]),
        ),
      );
      await commit();
      await sink.write(batchOf(inserts(table, [[1, 'x']], 'read'), deletes(table, [[1, 'y']])));
      await commit();
      assert.deepEqual(await rows(), [['1', 'x']]);
      await sink.close();
    });

    void it('takes names and values with quotes, dots, spaces, emoji and SQL in them', async () => {
      const odd = 'a"b\'.c d\\; DROP TABLE x; -- 🐟$1';
      const table: TableVersion = {
        ...scriptedTable(
          `data "base" ${++counter}`,
          `ta"ble'.; 🐬 ${counter}`,
          { [odd]: INT, 'per%cent ${x}': TEXT, select: TEXT },
          [odd],
        ),
      };
      const { sink, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, odd, '🐬\t\n\\N\\.'],
            [2, '', null],
          ]),
        ),
      );
      await commit();
      await sink.write(
        batchOf(
          inserts(
            table,
            Array.from({ length: MANY }, (_, i) => [i + 3, `${i}`, odd]),
          ),
        ),
      );
      await sink.write(
        batchOf(
          deletes(
            table,
            Array.from({ length: MANY }, (_, i) => [i + 3, null, null]),
          ),
        ),
      );
      await commit();
      assert.deepEqual(await rows(), [
        ['1', odd, '🐬\t\n\\N\\.'],
        ['2', '', null],
      ]);
      await sink.close();
    });

    void it('equals a model after random changes in commits of any size', async () => {
      const table = newTable({ v: TEXT, k: INT }, ['k']);
      const { sink, rows, commit } = await openWith(table);
      const model = new Map<number, string>();
      const random = randomOf(counter);
      for (const changes of [1, 40, 3000, 700, 6000, 2500, 10]) {
        for (let i = 0; i < changes; i++) await sink.write(batchOf(...randomChange(table, model, random, i)));
        await commit();
        const wanted = [...model].map(([key, value]) => [value, String(key)]);
        assert.deepEqual(sorted(await rows()), sorted(wanted));
      }
      await sink.close();
    });

    void it('takes rows that are there already: a load beside the stream, and the repeat of a load', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      const load = Array.from({ length: MANY }, (_, i): ScriptedRow => [i, `v${i}`]);
      await sink.write(
        batchOf(
          inserts(table, [
            [7, 'streamed'],
            [8, 'streamed'],
          ]),
        ),
      );
      await commit();
      for (let round = 0; round < 3; round++) {
        await sink.write(batchOf(inserts(table, load, 'read')));
        assert.deepEqual((await commit()).failed, []);
      }
      assert.deepEqual(sorted(await rows()), sorted(load.map(([key, value]) => [String(key), String(value)])));
      await sink.close();
    });

    void it('empties a target where the part says so: rows buffered before it are void, rows after it stay', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      await sink.write(batchOf(inserts(table, [[1, 'first load']])));
      await commit();
      await sink.write(batchOf(inserts(table, [[2, 'void']]), empties(table), inserts(table, [[3, 'kept']])));
      await commit();
      assert.deepEqual(await rows(), [['3', 'kept']]);
      const load = Array.from({ length: MANY }, (_, i): ScriptedRow => [i, `v${i}`]);
      await sink.write(batchOf(empties(table), inserts(table, load, 'read'), deletes(table, [[1, 'v1']])));
      await commit();
      assert.equal((await rows()).length, MANY - 1);
      await sink.close();
    });

    void it('adds columns in log order, as nullable, between rows of both shapes', async () => {
      const table = pairs();
      const { sink, target, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'old shape'],
            [2, 'old shape'],
          ]),
        ),
      );
      const columns = [...table.columns];
      const added = scriptedTable('', '', { 'added "one"': INT }, []).columns;
      const wider: TableVersion = { ...table, columns: [...columns, ...added] };
      const change: SchemaPart = {
        kind: 'schema',
        table: wider,
        added: ['added "one"'],
        renamed: [],
        dropped: [],
        modified: [],
      };
      assert.deepEqual(
        await sink.write(
          batchOf(
            change,
            inserts(wider, [[3, 'new', 30]]),
            updates(wider, [
              [
                [2, 'old shape', null],
                [2, 'x', 20],
              ],
            ]),
          ),
        ),
        [],
      );
      assert.deepEqual((await commit()).failed, []);
      await sink.write(batchOf(change, inserts(wider, [[4, 'new', null]])));
      await commit();
      const names = wider.columns.map((column) => column.name);
      assert.deepEqual(await system.read(target, names), [
        ['1', 'old shape', null],
        ['2', 'x', '20'],
        ['3', 'new', '30'],
        ['4', 'new', null],
      ]);
      await sink.close();
    });

    void it('leaves out a table that fails, once, and has all others; prepared again, the table goes on', async () => {
      const good = pairs();
      const bad = pairs();
      const { sink, rows, commit } = await openWith(good);
      const target = system.target(bad.id);
      assert.deepEqual(await sink.prepare([{ table: bad, target }]), []);
      await system.remove(target);
      await sink.write(batchOf(inserts(bad, [[1, 'lost']]), inserts(good, [[1, 'kept']])));
      const { failed } = await commit();
      assert.deepEqual(
        failed.map(({ table, error }) => [table, error.kind, error.code]),
        [[bad.id, 'table', 'Sink.TargetMismatch']],
      );
      await sink.write(batchOf(inserts(bad, [[2, 'ignored']]), inserts(good, [[2, 'kept too']])));
      assert.deepEqual((await commit()).failed, []);
      assert.deepEqual(await rows(), [
        ['1', 'kept'],
        ['2', 'kept too'],
      ]);
      assert.deepEqual(await sink.prepare([{ table: bad, target }]), []);
      await sink.write(batchOf(inserts(bad, [[3, 'again']])));
      await commit();
      assert.deepEqual(await system.read(target, ['k', 'v']), [['3', 'again']]);
      await sink.close();
    });

    if (holdsCheckpoint)
      void it('says of a table that it left out that it failed, in the very checkpoint of that commit', async () => {
        const bad = pairs();
        const { sink, owner, target } = await openWith(bad);
        const progress: TableProgress = {
          table: bad.id,
          state: 'STREAMING',
          chunksDone: 1,
          chunksAll: 1,
          rows: 1,
          failure: null,
          resume: null,
        };
        await system.remove(target);
        await sink.write(batchOf(inserts(bad, [[1, 'lost']])));
        const { failed } = await sink.commit({ ...checkpoint(1), tables: [progress] });
        assert.equal(failed.length, 1);
        await sink.close();
        const again = system.open(owner, POLICIES);
        const [found] = (await again.recover())?.tables ?? [];
        assert.deepEqual([found?.state, found?.failure?.code], ['FAILED', 'Sink.TargetMismatch']);
        await again.close();
      });

    void it('forgets the rows of a dropped table, and takes no more of it until it is prepared again', async () => {
      const table = pairs();
      const { sink, target, rows, commit } = await openWith(table);
      await sink.write(batchOf(inserts(table, [[1, 'forgotten']])));
      sink.drop(table.id);
      await sink.write(batchOf(inserts(table, [[2, 'not taken']])));
      await commit();
      await sink.prepare([{ table, target }]);
      await sink.write(batchOf(inserts(table, [[3, 'taken']])));
      await commit();
      assert.deepEqual(await rows(), [['3', 'taken']]);
      await sink.close();
    });

    void it(`takes a row of ${longestText / 1_000_000} MB`, async () => {
      const table = pairs();
      const { sink, target, commit } = await openWith(table);
      const huge = 'x'.repeat(longestText);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, huge],
            [2, 'small'],
          ]),
        ),
      );
      await commit();
      const rows = await system.read(target, ['k', 'v']);
      assert.deepEqual(
        rows.map(([k, v]) => [k, v?.length]),
        [
          ['1', huge.length],
          ['2', 5],
        ],
      );
      assert.equal(rows[0]?.[1] === huge, true);
      await sink.close();
    });

    void it('encodes the next batches while a commit is in flight', async () => {
      const table = pairs();
      const { sink, rows, commit } = await openWith(table);
      let committing: Promise<unknown> = Promise.resolve();
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 100; i++) await sink.write(batchOf(inserts(table, [[round * 100 + i, `r${round}`]])));
        await committing;
        committing = commit();
      }
      await committing;
      assert.equal((await rows()).length, 2000);
      await sink.close();
    });

    void it('loses nothing and repeats nothing when cut off between write and commit, or in a commit', async () => {
      const table = pairs();
      const { sink, owner, rows, commit } = await openWith(table);
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'a'],
            [2, 'b'],
          ]),
        ),
      );
      await commit();
      await sink.write(
        batchOf(
          updates(table, [
            [
              [1, 'a'],
              [1, 'A'],
            ],
          ]),
          inserts(
            table,
            Array.from({ length: MANY }, (_, i) => [i + 10, 'c']),
          ),
        ),
      );
      await system.cut();
      await assert.rejects(commit(), { kind: 'transient' });
      await assert.rejects(sink.write(batchOf()), { kind: 'transient' });
      const recovered = await sink.recover();
      assert.equal(recovered?.sequence, holdsCheckpoint ? 1 : undefined);
      if (holdsCheckpoint)
        assert.deepEqual(await rows(), [
          ['1', 'a'],
          ['2', 'b'],
        ]);
      // Without a checkpoint in the sink the whole log is read again.
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 'a'],
            [2, 'b'],
          ]),
          updates(table, [
            [
              [1, 'a'],
              [1, 'A'],
            ],
          ]),
          deletes(table, [[2, 'b']]),
        ),
      );
      await sink.commit(checkpoint(2));
      const kept = (await rows()).filter(([, value]) => value !== 'c');
      assert.deepEqual(kept, [['1', 'A']]);
      await sink.close();
      await system.forget(owner);
    });

    void it('is as of one checkpoint, or converges, however often it is cut off in the middle of a commit', async () => {
      const table = pairs();
      const { sink, owner, rows } = await openWith(table);
      const log = Array.from({ length: 12 }, (_, step) => stepOf(table, step));
      let durable = 0;
      let cuts = 0;
      while (durable < log.length) {
        await sink.write(batchOf(...(log[durable] ?? [])));
        const committing = sink.commit(checkpoint(durable + 1));
        const cutting = cuts < 8 ? delay(cuts * 2).then(() => system.cut()) : Promise.resolve();
        try {
          await committing;
          durable++;
          await cutting;
        } catch (error) {
          assert.equal((error as { kind?: string }).kind, 'transient');
          await cutting;
          const recovered = await sink.recover();
          if (holdsCheckpoint) durable = recovered?.sequence ?? 0;
          if (holdsCheckpoint) assert.deepEqual(sorted(await rows()), sorted(rowsAfter(durable)));
        }
        // A connection that was cut off between two commits shows at the next one.
        cuts++;
      }
      assert.deepEqual(sorted(await rows()), sorted(rowsAfter(log.length)));
      await sink.close();
      await system.forget(owner);
    });

    void it('stops the run when dirty rows exceed the limit, and leaves them out below it', async () => {
      const table = newTable({ k: INT, n: { kind: 'integer', bytes: 2, unsigned: false } }, ['k']);
      const policies: Policies = { ...POLICIES, errorLimit: 2 };
      const { sink, rows, commit } = await openWith(table, { policies });
      await sink.write(
        batchOf(
          inserts(table, [
            [1, 1],
            [2, 32768],
            [3, 3],
            [4, -40000],
          ]),
        ),
      );
      await commit();
      assert.deepEqual(await rows(), [
        ['1', '1'],
        ['3', '3'],
      ]);
      assert.equal(sink.dirtyRows, 2);
      await assert.rejects(sink.write(batchOf(inserts(table, [[5, 99999]]))), {
        kind: 'fatal',
        code: 'Sink.DirtyRowsExceeded',
      });
      await sink.close();
    });

    void it('counts dirty rows once that are read again', async () => {
      const table = newTable({ k: INT, n: { kind: 'integer', bytes: 2, unsigned: false } }, ['k']);
      const { sink, target, commit } = await openWith(table, { policies: { ...POLICIES, errorLimit: 3 } });
      await sink.write(batchOf(inserts(table, [[1, 32768]])));
      await commit();
      for (const turn of [1, 2, 3]) {
        await sink.write(
          batchOf(
            inserts(table, [
              [2, 40000],
              [3, 50000],
            ]),
          ),
        );
        assert.equal(sink.dirtyRows, 3, `turn ${turn}`);
        await sink.recover();
        await sink.prepare([{ table, target }]);
      }
      assert.equal(sink.dirtyRows, 1);
      await sink.close();
    });

    void it('holds the checkpoint as it says, with tables and exact integers, for its own incarnation only', async () => {
      const table = pairs();
      const { sink, owner, recovered } = await openWith(table);
      assert.equal(recovered, null);
      assert.equal(sink.holdsCheckpoint, holdsCheckpoint);
      const saved: Checkpoint = {
        sequence: 7,
        offset: { file: 'binlog.000001', position: 2n ** 60n + 1n, text: '\u0000"\\🐟' },
        version: 3,
        tables: [progressOf(table, 'SNAPSHOTTING', 1), progressOf(pairs(), 'STREAMING', 9)],
      };
      await sink.commit(saved);
      const next: Checkpoint = { ...saved, sequence: 8, tables: [progressOf(table, 'STREAMING', 2)] };
      await sink.commit(next);
      await sink.close();
      const again = system.open(owner, POLICIES);
      assert.deepEqual(await again.recover(), holdsCheckpoint ? next : null);
      await again.close();
      const stranger = system.open({ ...owner, incarnation: 'another' }, POLICIES);
      assert.equal(await stranger.recover(), null);
      await stranger.commit(checkpoint(1));
      await stranger.close();
      await system.forget(owner);
      const forgotten = system.open({ ...owner, incarnation: 'another' }, POLICIES);
      assert.equal(await forgotten.recover(), null);
      await forgotten.close();
    });

    if (!holdsCheckpoint) return;

    void it('refuses a second instance of the same task, and writes none of its rows', async () => {
      const table = pairs();
      const { sink, owner, rows, commit } = await openWith(table);
      await sink.write(batchOf(inserts(table, [[1, 'first']])));
      await commit();
      const second = await openWith(table, { owner });
      await sink.write(batchOf(inserts(table, [[2, 'first']])));
      await commit();
      await second.sink.write(
        batchOf(
          inserts(table, [
            [1, 'second'],
            [3, 'second'],
          ]),
        ),
      );
      await assert.rejects(second.commit(), { kind: 'fatal', code: 'Sink.CheckpointConflict' });
      const newer = await openWith(table, { owner: { ...owner, incarnation: 'newer' } });
      await newer.commit();
      await sink.write(batchOf(inserts(table, [[4, 'first']])));
      await assert.rejects(commit(), { kind: 'fatal', code: 'Sink.CheckpointConflict' });
      assert.deepEqual(await rows(), [
        ['1', 'first'],
        ['2', 'first'],
      ]);
      for (const opened of [sink, second.sink, newer.sink]) await opened.close();
    });
  });
}

/** Each step inserts rows, updates those of the step before, and deletes the even ones of that before it. */
function stepOf(table: TableVersion, step: number) {
  const keys = (of: number) => Array.from({ length: MANY }, (_, i) => of * MANY + i);
  const fresh = inserts(
    table,
    keys(step).map((key) => [key, 'new']),
  );
  const changed =
    step < 1
      ? []
      : [
          updates(
            table,
            keys(step - 1).map(
              (key) =>
                [
                  [key, 'new'],
                  [key, 'changed'],
                ] as const,
            ),
          ),
        ];
  const gone =
    step < 2
      ? []
      : [
          deletes(
            table,
            keys(step - 2)
              .filter((key) => key % 2 === 0)
              .map((key) => [key, 'changed']),
          ),
        ];
  return [fresh, ...changed, ...gone];
}

function rowsAfter(steps: number): readonly (readonly string[])[] {
  const rows: string[][] = [];
  for (let key = 0; key < steps * MANY; key++) {
    const step = Math.floor(key / MANY);
    if (step + 2 < steps && key % 2 === 0) continue;
    rows.push([String(key), step + 1 < steps ? 'changed' : 'new']);
  }
  return rows;
}

export function newOwner(): CheckpointOwner {
  // Other test files write to the same servers at the same time.
  return { installation: 'contract', task: `${process.pid}${++counter}`, incarnation: 'first' };
}

export function checkpoint(sequence: number): Checkpoint {
  return { sequence, offset: { at: sequence }, version: 1, tables: [] };
}

export function newTable(columns: Readonly<Record<string, ValueType>>, key: readonly string[]): TableVersion {
  return scriptedTable('contract', `t${++counter}_${process.pid}`, columns, key);
}

function pairs(): TableVersion {
  return newTable({ k: INT, v: TEXT }, ['k']);
}

function progressOf(
  table: TableVersion,
  state: 'SNAPSHOTTING' | 'STREAMING',
  chunksDone: number,
): Checkpoint['tables'][number] {
  return { table: table.id, state, chunksDone, chunksAll: 10, rows: 5, failure: null, resume: { at: [1, null] } };
}

function sorted(rows: readonly (readonly (string | null)[])[]) {
  return rows.map((row) => JSON.stringify(row)).sort();
}

function randomOf(seed: number): (limit: number) => number {
  let state = seed * 2654435761 + 1;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
}

/** A change that the source could make: inserts of missing keys, updates and deletes of present ones, key changes. */
function randomChange(table: TableVersion, model: Map<number, string>, random: (limit: number) => number, i: number) {
  const key = random(2500);
  const old = model.get(key);
  const value = `v${i}${'x'.repeat(random(30))}`;
  if (old === undefined) {
    model.set(key, value);
    return [inserts(table, [[value, key]])];
  }
  model.delete(key);
  if (random(3) === 0) return [deletes(table, [[old, key]])];
  const moved = random(4) === 0 ? random(2500) : key;
  const next = model.has(moved) ? key : moved;
  model.set(next, value);
  return [
    updates(table, [
      [
        [old, key],
        [value, next],
      ],
    ]),
  ];
}
