import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomOf } from '../bench/workload.ts';
import { layRows } from '../src/connectors/maxcompute/encode/row-layout.ts';
import { RowWriter } from '../src/connectors/maxcompute/encode/row-writer.ts';
import { PartitionRule } from '../src/connectors/maxcompute/partition.ts';
import type { ColumnType } from '../src/connectors/maxcompute/protocol/column-type.ts';
import { RowStream } from '../src/connectors/maxcompute/protocol/row-stream.ts';
import { wantedTable } from '../src/connectors/maxcompute/wanted-table.ts';
import { TimeZone } from '../src/lib/time-zone.ts';
import type { RowImage, RowsPart } from '../src/pipeline/batch.ts';
import { DIRTY, type Expected, plainValue, ZONE_NAME } from './support/maxcompute/plain-value.ts';
import { readRows } from './support/maxcompute/read-rows.ts';
import { randomColumn } from './support/random-columns.ts';
import { scriptedRow } from './support/scripted-visitor.ts';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from './support/servers.ts';
import { Follower, joining, openSource } from './support/source-under-test.ts';

const TABLES = 6;
const COLUMNS = 12;
const ROWS = 40;
const ZONE = new TimeZone(ZONE_NAME);
const writer = new RowWriter(ZONE);

/** Writes a part into a log as we would make it, reads that back, and compares it value by value; gives the values. */
function compare(part: RowsPart): number {
  const columns = wantedTable(part.table, 'log', []).columns;
  const stream = new RowStream();
  let dirty = 0;
  writer.write(part, {
    layout: layRows(part.table, { form: 'log', columns }),
    partitions: PartitionRule.parse('').of(part.table, ZONE),
    rows: {
      take: (_, row) => {
        const kept = new RowStream();
        const crc = kept.keepCopy(row.stream);
        stream.resumeRow(kept.bytes, 0, kept.at, crc);
        stream.endRow();
      },
      onDirty: () => (dirty += 1),
    },
  });
  const types = columns.map(({ type }) => type);
  const own = types.slice(types.length - part.table.columns.length);
  const images: RowImage[] = part.op === 'update' ? ['before', 'after'] : part.op === 'delete' ? ['before'] : ['after'];
  const isDirty = (image: readonly Expected[]) => image.includes(DIRTY);
  const wanted: (readonly Expected[])[] = [];
  let wantedDirty = 0;
  for (let row = 0; row < part.count; row += 1) {
    const found = images.map((image) => plainRow(part, row, image, own));
    const clean = isDirty(found.at(-1) ?? []) ? [] : found.filter((image) => !isDirty(image));
    wanted.push(...clean);
    // Without its new values nothing is said of an update; without the old ones, the new ones are.
    if (clean.length < found.length) wantedDirty += 1;
  }
  const read = readRows(stream.finish(), types).map((row) => row.slice(types.length - own.length));
  assert.deepEqual(read, wanted);
  assert.equal(dirty, wantedDirty);
  return read.length * own.length;
}

function plainRow(part: RowsPart, row: number, image: RowImage, targets: readonly ColumnType[]): Expected[] {
  return scriptedRow(part, row, image).map((value, index) => {
    const column = part.table.columns[index];
    const target = targets[index];
    assert.ok(column !== undefined && target !== undefined);
    return plainValue(column.type, target, value);
  });
}

for (const family of FAMILIES) {
  void describe(`rows of ${family} in MaxCompute's tunnel`, () => {
    void it('have every value of random tables as plain means make it, loaded and streamed', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const random = randomOf(seed);
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      const follower = new Follower(openSource(server, database));
      let values = 0;
      let failed: unknown = null;
      follower.onRows = (part) => {
        try {
          values += compare(part);
        } catch (error) {
          failed ??= error;
        }
      };
      const names = Array.from({ length: TABLES }, (_, index) => `t${index}`);
      const writes: string[] = [];
      for (const name of names) {
        const columns = Array.from({ length: COLUMNS }, (_, index) => randomColumn(random, `c${index}`, family));
        await client.query(
          `CREATE TABLE ${name} (k INT PRIMARY KEY, ${columns.map((column) => `${column.name} ${column.sql}`).join()})`,
        );
        const given = columns.filter(({ generated }) => !generated);
        const rowSql = (k: number) =>
          `INSERT INTO ${name} (k, ${given.map((column) => column.name).join()}) VALUES (${k}, ${given
            .map((column) => (random() < 0.15 ? 'NULL' : column.literal(random)))
            .join()})`;
        for (let k = 0; k < ROWS; k += 1) await client.query(rowSql(k));
        for (let k = ROWS; k < 2 * ROWS; k += 1) writes.push(rowSql(k));
        const [changed] = given;
        if (changed !== undefined)
          for (let k = 0; k < ROWS; k += 2)
            writes.push(`UPDATE ${name} SET ${changed.name} = ${changed.literal(random)} WHERE k = ${k}`);
        writes.push(`DELETE FROM ${name} WHERE k % 3 = 0`, `INSERT INTO ${name} (k) VALUES (-1)`);
      }
      try {
        const tables = await Promise.all(names.map((name) => joining(follower.source, database, name)));
        follower.start(1, tables);
        await follower.until(() => names.every((name) => follower.state(database, name) === 'STREAMING'));
        for (const sql of writes) await client.query(sql);
        await follower.until(() => names.every((name) => follower.rows(database, name).some(({ k }) => k === '-1')));
        if (failed !== null) throw failed;
        // Loaded and streamed rows, and deletes.
        assert.ok(values > 2 * TABLES * COLUMNS * ROWS);
      } finally {
        await follower.stop();
        await client.query(`DROP DATABASE ${database}`);
        await client.end();
      }
    });
  });
}
