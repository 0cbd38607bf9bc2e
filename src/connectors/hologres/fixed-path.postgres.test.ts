import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startHologresUnderTest, type HologresUnderTest } from '../../../test/support/hologres-under-test.ts';
import { batchOf, deletes, empties, inserts, updates } from '../../../test/support/scripted-rows.ts';
import { checkpoint, newOwner, newTable, POLICIES } from '../../../test/support/sink-contract.ts';
import type { TableVersion, ValueType } from '../../pipeline/table.ts';
import { hologresConnector } from './connector.ts';

const INT: ValueType = { kind: 'integer', bytes: 4, unsigned: false };
const TEXT: ValueType = { kind: 'text' };

/** What Hologres is documented to take (semantics/hologres.md, sections 1 and 2); quoted names stand as N. */
const ALLOWED = [
  /^SET (timezone = 'UTC'|hg_experimental_\w+ = on)$/,
  /^SELECT hg_version\(\) AS version$/,
  /^(BEGIN|COMMIT)$/,
  /^CREATE SCHEMA IF NOT EXISTS N$/,
  /^CREATE TABLE IF NOT EXISTS N\.N \( (N [\w ]+(\(\d+(,\d+)?\))?( NOT NULL)?, )+PRIMARY KEY \(N(, N)*\) \)$/,
  /^CALL set_table_property\('N\.N', '\w+', '\w+'\)$/,
  /^ALTER TABLE N\.N ADD COLUMN N \w+$/,
  /^TRUNCATE N\.N$/,
  /^INSERT INTO N\.N \(N(, N)*\) SELECT unnest\(\$\d+::\w+\[\]\)(, unnest\(\$\d+::\w+\[\]\))* ON CONFLICT \(N(, N)*\) (DO NOTHING|DO UPDATE SET N = excluded\.N(, N = excluded\.N)*)$/,
  /^DELETE FROM N\.N WHERE \(N = \$\d+( AND N = \$\d+)*\)( OR \(N = \$\d+( AND N = \$\d+)*\))*$/,
];
/** Reads of the catalogue. */
const CATALOGUE = /^SELECT .* (pg_catalog\.pg_namespace|FROM N\.N LIMIT)/;
const FORBIDDEN =
  /\b(TEMP|TEMPORARY|FOR UPDATE|FOR SHARE|LOCK|pg_advisory\w*|UNIQUE|CHECK|REFERENCES|FOREIGN KEY|SAVEPOINT|COPY|MERGE|DROP)\b/i;

void describe('the fixed path on Hologres', () => {
  let system: HologresUnderTest;
  before(async () => {
    system = await startHologresUnderTest({
      options: { tableProperties: { orientation: 'row' } },
      asHologres: true,
      serverSettings: { log_statement: 'all', log_line_prefix: '~%a~' },
    });
  });
  after(() => system.stop());

  void it('sends only statements that Hologres is documented to take', async () => {
    const table = newTable({ v: TEXT, a: INT, b: TEXT, d: { kind: 'decimal', precision: 10, scale: 2 } }, ['a', 'b']);
    const allKey = newTable({ k: INT }, ['k']);
    const { settings } = system;
    const options = hologresConnector.parseOptions({});
    const signal = new AbortController().signal;
    const planned = await hologresConnector.planTargets({
      settings,
      options,
      sourceName: 'shop_mysql',
      tables: [table, allKey],
      signal,
    });
    assert.equal(planned.server, 'Hologres 3.0.1');
    assert.equal(planned.guarantee, 'converges');
    const owner = newOwner();
    const sink = system.open(owner, { ...POLICIES, errorLimit: null });
    assert.equal(await sink.recover(), null);
    const tables = [table, allKey].map((each) => ({ table: each, target: system.target(each.id) }));
    assert.deepEqual(await sink.prepare(tables), []);
    const rows = Array.from({ length: 3000 }, (_, i) => ['v', i, `b${i}`, '1.50'] as const);
    await sink.write(batchOf(empties(table), inserts(table, rows, 'read'), inserts(allKey, [[1], [2]])));
    assert.deepEqual((await sink.commit(checkpoint(1))).failed, []);
    const wider: TableVersion = { ...table, columns: [...table.columns, ...newTable({ w: TEXT }, []).columns] };
    await sink.write(
      batchOf(deletes(table, rows.slice(0, 777)), updates(table, [[rows[1000] ?? [], ['x', 1, 'moved', null]]])),
    );
    await sink.write(
      batchOf(
        { kind: 'schema', table: wider, added: ['w'], renamed: [], dropped: [], modified: [] },
        inserts(wider, [['y', 2, 'wide', null, 'w']]),
      ),
    );
    assert.deepEqual((await sink.commit(checkpoint(2))).failed, []);
    await sink.close();
    await system.forget(owner);

    const { rows: properties } = await system.client.query(
      'SELECT name, property, value FROM public.table_properties ORDER BY 1',
    );
    assert.deepEqual(
      properties,
      [table, allKey].map(({ id }) => ({ name: `"contract"."${id.table}"`, property: 'orientation', value: 'row' })),
    );
    const { rows: counted } = await system.client.query(
      `SELECT count(*)::int AS rows FROM contract."${table.id.table}"`,
    );
    assert.deepEqual(counted, [{ rows: 3000 - 777 - 1 + 2 }]);

    const sent = statementsOf(system.postgres.log());
    assert.equal(
      sent.some((text) => text.startsWith('INSERT')),
      true,
    );
    assert.equal(
      sent.some((text) => text.startsWith('DELETE')),
      true,
    );
    assert.equal(
      sent.some((text) => text.startsWith('ALTER')),
      true,
    );
    const strange = sent.filter(
      (text) => FORBIDDEN.test(text) || !(CATALOGUE.test(text) || ALLOWED.some((form) => form.test(text))),
    );
    assert.deepEqual([...new Set(strange)], []);
  });
});

/** The statements of our connections, from the server's own log: quoted names become N, white space one space. */
function statementsOf(log: string): readonly string[] {
  const entries = log.split(/^~(?=[^~]*~)/m).filter((entry) => entry.startsWith('disync~'));
  return entries.flatMap((entry) => {
    const text = /^disync~LOG:\s+(?:statement|execute [^:]*): (.*)$/s.exec(entry)?.[1];
    return text === undefined
      ? []
      : [
          text
            .replaceAll(/"(?:[^"]|"")*"/g, 'N')
            .replaceAll(/\s+/g, ' ')
            .trim(),
        ];
  });
}
