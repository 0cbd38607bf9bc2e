import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  openMaxComputeSink,
  rowsOf,
  startDouble,
  tableOf,
  targetOf,
} from '../../../test/support/maxcompute-under-test.ts';
import type { MaxComputeDouble } from '../../../test/support/maxcompute/double.ts';
import { Refusal } from '../../../test/support/maxcompute/refusal.ts';
import { MemoryJournals } from '../../../test/support/memory-journals.ts';
import { batchOf, inserts, scriptedTable } from '../../../test/support/scripted-rows.ts';
import { checkpoint, newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { CheckpointOwner } from '../../pipeline/checkpoint.ts';
import type { TableVersion } from '../../pipeline/table.ts';
import type { MaxComputeSink } from './sink.ts';

const COLUMNS = {
  id: { kind: 'integer', bytes: 4, unsigned: false },
  text: { kind: 'text' },
} as const;
const OFTEN = 50;

/** The call that makes rows of one table visible. */
function isCommit(table: TableVersion) {
  return (method: string, { pathname, searchParams }: URL): boolean =>
    method === 'POST' &&
    pathname.includes(`/tables/${targetOf(table.id).table}`) &&
    (searchParams.has('uploadid') || searchParams.has('upsertid'));
}

for (const tableType of ['append', 'delta'] as const) {
  void describe(`a commit into ${tableType} tables that was cut short`, () => {
    let double: MaxComputeDouble;
    let journals: MemoryJournals;
    let owner: CheckpointOwner;
    let a: TableVersion;
    let b: TableVersion;
    const open: MaxComputeSink[] = [];

    before(async () => {
      double = await startDouble();
    });
    beforeEach(() => {
      double.faults.clear();
      journals = new MemoryJournals();
      owner = newOwner();
      a = newTable(COLUMNS, ['id']);
      b = newTable(COLUMNS, ['id']);
    });
    after(async () => {
      await Promise.all(open.map((sink) => sink.close()));
      await double.stop();
    });

    async function start(options: JsonObject = {}): Promise<MaxComputeSink> {
      const sink = openMaxComputeSink(double, {
        owner,
        policies: POLICIES,
        journals,
        options: { tableType, ...options },
      });
      open.push(sink);
      return sink;
    }

    async function prepared(sink: MaxComputeSink): Promise<MaxComputeSink> {
      const tables = [a, b].map((table) => ({ table, target: targetOf(table.id) }));
      assert.deepEqual(await sink.prepare(tables), []);
      return sink;
    }

    /** A sink that has committed checkpoint 1, and has failed at the commit of checkpoint 2 as `refused` says. */
    async function cutAt(refused: readonly TableVersion[]): Promise<void> {
      const sink = await start();
      assert.equal(await sink.recover(), null);
      await prepared(sink);
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      await sink.commit(checkpoint(1));
      await sink.write(batchOf(inserts(a, [[2, 'second']]), inserts(b, [[2, 'second']])));
      for (const table of refused) away(table);
      await assert.rejects(sink.commit(checkpoint(2)), { kind: 'transient' });
      double.faults.clear();
    }

    function away(table: TableVersion): void {
      const refusal = new Refusal(500, 'InternalServerError', 'away');
      const fault = { when: isCommit(table), what: { kind: 'refuse', refusal } } as const;
      double.faults.push(...Array.from({ length: OFTEN }, () => fault));
    }

    const rows = (table: TableVersion) => rowsOf(tableOf(double, targetOf(table.id)), ['id', 'text']);
    const FIRST = [['1', 'first']];
    const BOTH = [
      ['1', 'first'],
      ['2', 'second'],
    ];
    const SECOND = [['2', 'second']];

    void it('is finished when its sessions are open: nothing is read again', async () => {
      await cutAt([a, b]);
      assert.deepEqual([rows(a), rows(b)], [FIRST, []]);
      const again = await start();
      assert.equal((await again.recover())?.sequence, 2);
      assert.deepEqual([rows(a), rows(b)], [BOTH, SECOND]);
      assert.equal((await again.recover())?.sequence, 2);
      assert.deepEqual([rows(a), rows(b)], [BOTH, SECOND]);
    });

    void it('is finished when one session was committed and the other is open', async () => {
      await cutAt([b]);
      assert.deepEqual([rows(a), rows(b)], [BOTH, []]);
      const again = await start();
      assert.equal((await again.recover())?.sequence, 2);
      assert.deepEqual([rows(a), rows(b)], [BOTH, SECOND]);
    });

    void it('H15: is taken back when no session can be committed any more: all is read again', async () => {
      await cutAt([a, b]);
      double.tunnel.uploads.expireAll();
      double.tunnel.upserts.expireAll();
      const again = await start();
      assert.equal((await again.recover())?.sequence, 1);
      await prepared(again);
      assert.deepEqual([rows(a), rows(b)], [FIRST, []]);
      await again.write(batchOf(inserts(a, [[2, 'second']]), inserts(b, [[2, 'second']])));
      await again.commit(checkpoint(2));
      assert.deepEqual([rows(a), rows(b)], [BOTH, SECOND]);
    });

    void it(
      tableType === 'append'
        ? 'stops the run when one session was committed and the other is lost'
        : 'H10: is read again when one session was committed and the other is lost: it ends equal by key',
      async () => {
        await cutAt([b]);
        double.tunnel.uploads.expireAll();
        double.tunnel.upserts.expireAll();
        const again = await start();
        if (tableType === 'append') {
          await assert.rejects(again.recover(), { kind: 'fatal', code: 'Sink.CommitInDoubt' });
          await assert.rejects(again.recover(), { kind: 'fatal', code: 'Sink.CommitInDoubt' });
          return;
        }
        assert.equal((await again.recover())?.sequence, 1);
        await prepared(again);
        await again.write(batchOf(inserts(a, [[2, 'second']]), inserts(b, [[2, 'second']])));
        await again.commit(checkpoint(2));
        assert.deepEqual([rows(a), rows(b)], [BOTH, SECOND]);
      },
    );

    void it('fails a table alone whose target is gone meanwhile, and finishes the others', async () => {
      await cutAt([a, b]);
      double.catalog.drop({ project: 'shop', schema: null, table: targetOf(b.id).table });
      const again = await start();
      const found = await again.recover();
      assert.deepEqual([found?.sequence, rows(a)], [2, BOTH]);
    });

    void it('waits for a session whose reply was lost, and commits it once', async () => {
      const sink = await prepared(await recovered());
      const lost = { when: isCommit(a), what: { kind: 'replyLost' } } as const;
      double.faults.push(lost, lost);
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      await sink.commit(checkpoint(1));
      assert.deepEqual(rows(a), FIRST);
    });

    void it('has its rows stored again where blocks were cut, refused, throttled or moved', async () => {
      const sink = await prepared(await recovered());
      const isPut = (method: string) => method === 'PUT';
      double.faults.push(
        { when: isPut, what: { kind: 'cut' } },
        { when: isPut, what: { kind: 'replyLost' } },
        { when: isPut, what: { kind: 'refuse', refusal: new Refusal(429, 'FlowExceeded', 'slower') } },
        { when: isPut, what: { kind: 'refuse', refusal: new Refusal(502, 'BadGateway', 'later') } },
      );
      let hasMoved = false;
      double.watch = ({ method }) => {
        if (method !== 'PUT' || hasMoved) return;
        hasMoved = true;
        double.tunnel.upserts.moveSlots({ says: false });
      };
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      await sink.commit(checkpoint(1));
      double.watch = () => {};
      assert.deepEqual([rows(a), double.faults.size, hasMoved], [FIRST, 0, true]);
    });

    void it('H5: is read again when somebody altered the table while rows were written', async () => {
      const sink = await prepared(await recovered());
      const refusal = new Refusal(412, 'SchemaModified', 'the table was altered');
      double.faults.push({ when: (method) => method === 'PUT', what: { kind: 'refuse', refusal } });
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      await assert.rejects(sink.commit(checkpoint(1)), { kind: 'transient', code: 'Sink.TargetAltered' });
      assert.equal(await sink.recover(), null);
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      await sink.commit(checkpoint(1));
      assert.deepEqual(rows(a), FIRST);
    });

    void it('waits until the tunnel knows the newest shape of a table', async () => {
      const sink = await prepared(await recovered());
      const refusal = new Refusal(404, 'NoSuchSchema', 'not yet');
      const begins = (method: string, { pathname, searchParams }: URL) =>
        method === 'POST' && (searchParams.has('uploads') || pathname.endsWith('/upserts'));
      double.faults.push({ when: begins, what: { kind: 'refuse', refusal } });
      double.faults.push({ when: begins, what: { kind: 'refuse', refusal } });
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      await sink.commit(checkpoint(1));
      assert.deepEqual(rows(a), FIRST);
    });

    void it('is not held up by rows of a newer shape that come while its sessions are begun', async () => {
      const sink = await prepared(await recovered());
      const begins = (method: string, { pathname, searchParams }: URL) =>
        method === 'POST' && (searchParams.has('uploads') || pathname.endsWith('/upserts'));
      double.faults.push({ when: begins, what: { kind: 'slow', ms: 100 } });
      await sink.write(batchOf(inserts(a, [[1, 'first']])));
      const committing = sink.commit(checkpoint(1));
      const wider = { ...a, columns: [...a.columns, ...scriptedTable('', '', { more: { kind: 'text' } }, []).columns] };
      const change = { kind: 'schema', table: wider, added: ['more'], renamed: [], dropped: [], modified: [] } as const;
      await sink.write(batchOf(change, inserts(wider, [[2, 'second', 'x']])));
      await committing;
      assert.deepEqual(rows(a), FIRST);
      await sink.commit(checkpoint(2));
      assert.deepEqual(rowsOf(tableOf(double, targetOf(a.id)), ['id', 'text', 'more']), [
        ['1', 'first', null],
        ['2', 'second', 'x'],
      ]);
    });

    void it('is not made earlier because of tables without partitions, however many they are', async () => {
      const sink = await start({ openPartitionsMax: 1, tableType: 'delta' });
      await sink.recover();
      await prepared(sink);
      await sink.write(batchOf(inserts(a, [[1, 'first']]), inserts(b, [[1, 'first']])));
      assert.equal(sink.load().isFull, false);
    });

    async function recovered(): Promise<MaxComputeSink> {
      const sink = await start();
      await sink.recover();
      return sink;
    }
  });
}
