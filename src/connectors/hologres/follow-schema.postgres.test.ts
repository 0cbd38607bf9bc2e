import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startHologresUnderTest, type HologresUnderTest } from '../../../test/support/hologres-under-test.ts';
import { batchOf, inserts, SCRIPTED_PLACE, updates } from '../../../test/support/scripted-rows.ts';
import { checkpoint, newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import type { DdlPart, SchemaPart } from '../../pipeline/batch.ts';
import type { DdlKind, DdlPolicies } from '../../pipeline/policies.ts';
import type { TableVersion, ValueType } from '../../pipeline/table.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const TEXT: ValueType = { kind: 'text' };

void describe('a target whose source is altered', () => {
  let system: HologresUnderTest;
  before(async () => {
    system = await startHologresUnderTest({ options: {} });
  });
  after(() => system.stop());

  /** A table (id, n NOT NULL, t) with one row, and what becomes of it. */
  async function opened(ddl: Partial<DdlPolicies> = {}) {
    const narrow = newTable({ id: INT, n: INT, t: TEXT }, ['id']);
    const table = {
      ...narrow,
      columns: narrow.columns.map((column) => ({ ...column, nullable: column.name === 't' })),
    };
    const target = system.target(table.id);
    const sink = system.open(newOwner(), { ...POLICIES, ddl: { ...POLICIES.ddl, ...ddl } });
    await sink.recover();
    assert.deepEqual(await sink.prepare([{ table, target }]), []);
    await sink.write(batchOf(inserts(table, [[1, 10, 'one']])));
    assert.deepEqual((await sink.commit(checkpoint(1))).failed, []);
    return { table, target, sink, read: () => system.read(target, ['id', 'n', 't']) };
  }

  function changed(table: TableVersion, columns: TableVersion['columns'], news: Partial<SchemaPart>): SchemaPart {
    return {
      kind: 'schema',
      table: { ...table, columns },
      added: [],
      renamed: [],
      dropped: [],
      modified: [],
      ...news,
    };
  }

  function statement(table: TableVersion, ddl: DdlKind): DdlPart {
    return { kind: 'ddl', table, ddl, statement: 'of the source', timeMicros: 0, place: SCRIPTED_PLACE };
  }

  void it('keeps a dropped column with its values, and takes rows without it', async () => {
    const { table, sink, read } = await opened();
    const part = changed(
      table,
      table.columns.filter(({ name }) => name !== 'n'),
      { dropped: ['n'] },
    );
    const rows = [
      inserts(part.table, [[2, 'two']]),
      updates(part.table, [
        [
          [1, 'one'],
          [1, 'eins'],
        ],
      ]),
    ];
    assert.deepEqual(await sink.write(batchOf(part, ...rows)), []);
    assert.deepEqual((await sink.commit(checkpoint(2))).failed, []);
    assert.deepEqual(await read(), [
      ['1', '10', 'eins'],
      ['2', null, 'two'],
    ]);
    await sink.close();
  });

  void it('takes NULLs of a column that may be NULL now', async () => {
    const { table, sink, read } = await opened();
    const columns = table.columns.map((column) => (column.name === 'n' ? { ...column, nullable: true } : column));
    const part = changed(table, columns, { modified: ['n'] });
    assert.deepEqual(await sink.write(batchOf(part, inserts(part.table, [[2, null, 'two']]))), []);
    assert.deepEqual((await sink.commit(checkpoint(2))).failed, []);
    assert.deepEqual(await read(), [
      ['1', '10', 'one'],
      ['2', null, 'two'],
    ]);
    await sink.close();
  });

  void it('makes a column again that a commit which was cut off had made', async () => {
    const { table, sink } = await opened();
    const columns = [...table.columns, ...newTable({ w: TEXT }, []).columns];
    const part = changed(table, columns, { added: ['w'] });
    await sink.write(batchOf(part, inserts(part.table, [[2, 20, 'two', 'wide']])));
    await system.cut();
    await assert.rejects(sink.commit(checkpoint(2)), { kind: 'transient' });
    assert.equal((await sink.recover())?.sequence, 1);
    assert.deepEqual(await sink.write(batchOf(part, inserts(part.table, [[2, 20, 'two', 'wide']]))), []);
    assert.deepEqual((await sink.commit(checkpoint(2))).failed, []);
    assert.deepEqual(await system.read(system.target(table.id), ['id', 'w']), [
      ['1', null],
      ['2', 'wide'],
    ]);
    await sink.close();
  });

  void it('stops a table whose new values the target cannot hold, and what it has no means for', async () => {
    const text = (table: TableVersion) =>
      table.columns.map((column) => (column.name === 'n' ? { ...column, type: TEXT, sourceType: 'text' } : column));
    const cases: { policy?: Partial<DdlPolicies>; part(table: TableVersion): SchemaPart | DdlPart; code: string }[] = [
      { part: (table) => statement(table, 'DROPTABLE'), code: 'Table.DdlUnsupported' },
      { part: (table) => statement(table, 'RENAMETABLE'), code: 'Table.DdlUnsupported' },
      {
        part: (table) => changed(table, text(table), { modified: ['n'] }),
        code: 'Sink.TargetMismatch',
      },
      {
        part: (table) =>
          changed(
            table,
            table.columns.map((column) =>
              column.name === 'n' ? { ...column, type: { kind: 'integer', bytes: 8, unsigned: false } } : column,
            ),
            { modified: ['n'] },
          ),
        code: 'Sink.TargetMismatch',
      },
      {
        policy: { DROPCOLUMN: 'NORMAL' },
        part: (table) => changed(table, table.columns.slice(0, 2), { dropped: ['t'] }),
        code: 'Table.DdlUnsupported',
      },
      {
        policy: { RENAMECOLUMN: 'NORMAL' },
        part: (table) =>
          changed(
            table,
            table.columns.map((column) => (column.name === 't' ? { ...column, name: 'u' } : column)),
            { renamed: [{ from: 't', to: 'u' }] },
          ),
        code: 'Table.DdlUnsupported',
      },
      {
        part: (table) =>
          changed(table, [...table.columns, ...newTable({ ['x'.repeat(64)]: TEXT }, []).columns], {
            added: ['x'.repeat(64)],
          }),
        code: 'Sink.NameTooLong',
      },
    ];
    for (const { policy, part, code } of cases) {
      const { table, sink, read } = await opened(policy);
      const change = part(table);
      const failed = await sink.write(batchOf(inserts(table, [[2, 20, 'two']]), change));
      assert.deepEqual(
        failed.map(({ table: id, error }) => [id, error.kind, error.code]),
        [[table.id, 'table', code]],
      );
      assert.deepEqual((await sink.commit(checkpoint(2))).failed, []);
      assert.deepEqual(await read(), [['1', '10', 'one']], code);
      await sink.close();
    }
  });
});
