import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SinkTable } from './route.ts';
import { type PreparedTarget, SinkTargets } from './sink-targets.ts';
import type { TableId } from './table.ts';

const A: TableId = { database: 'shop', table: 'a' };
const B: TableId = { database: 'shop', table: 'b' };

void describe('targets of a sink', () => {
  void it('are to be prepared for the first time, when they were left out, and when their table goes elsewhere', () => {
    const targets = new SinkTargets<PreparedTarget>(({ table }) => table.toLowerCase());
    const wanted = [wants(A, 'a'), wants(B, 'b')];
    assert.deepEqual(targets.unprepared(wanted), wanted);
    const b = prepared(B, 'b');
    targets.add([prepared(A, 'a'), b]);
    assert.deepEqual(targets.unprepared(wanted), []);
    assert.deepEqual(targets.unprepared([wants(A, 'A')]), [], 'the same name to the sink');
    assert.deepEqual(targets.unprepared([wants(A, 'other')]), [wants(A, 'other')]);
    b.ready = false;
    assert.deepEqual(targets.unprepared(wanted), [wants(B, 'b')]);
  });

  void it('take no rows when they are left out, and cannot be asked for before they are prepared', () => {
    const targets = new SinkTargets<PreparedTarget>(({ table }) => table);
    assert.throws(() => targets.of(A), { message: /a.* was never prepared/ });
    const a = prepared(A, 'a');
    targets.add([a]);
    assert.equal(targets.of(A), a);
    a.ready = false;
    assert.equal(targets.of(A), null);
    assert.equal(targets.find(A), a);
    assert.deepEqual(targets.all(), [a]);
    const again = prepared(A, 'a');
    targets.add([again]);
    assert.equal(targets.of(A), again);
  });
});

function wants(id: TableId, table: string): SinkTable {
  return { table: { id, columns: [], key: [] }, target: { schema: '', table } };
}

function prepared(table: TableId, name: string): PreparedTarget {
  return { table, id: { schema: '', table: name }, ready: true };
}
