import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomOf } from '../bench/workload.ts';
import type { Envelope } from '../src/connectors/kafka/encode/envelope.ts';
import { openEnvelope } from '../src/connectors/kafka/encode/envelopes.ts';
import { DEFAULT_OPTIONS } from '../src/connectors/kafka/options.ts';
import { parseJson } from '../src/lib/json.ts';
import type { RowsPart } from '../src/pipeline/batch.ts';
import { encoded, type EncodedRecord } from './support/encoded-records.ts';
import { wantedImage } from './support/kafka-reference.ts';
import { type RandomColumn, randomColumn } from './support/random-columns.ts';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from './support/servers.ts';
import { Follower, joining, openSource } from './support/source-under-test.ts';

const TABLES = 4;
const COLUMNS = 12;
const ROWS = 40;
const TO = {
  topic: 't',
  partitions: 1,
  keyColumns: null,
  compression: 'none',
  maxRecordBytes: 100_000_000,
  needsKeys: false,
  maxBatchBytes: Infinity,
} as const;

type Mode = 'json' | 'debezium' | 'canal';
const MODES: readonly Mode[] = ['json', 'debezium', 'canal'];

function open(writeMode: Mode): Envelope {
  return openEnvelope(
    { ...DEFAULT_OPTIONS, writeMode },
    { sourceName: 's', version: '1', clock: { now: () => 1 }, onDirty: () => assert.fail('dirty') },
  );
}

/** The images that the part's records must have, of a row whose key stays. */
function wanted(mode: Mode, part: RowsPart, row: number): string[] {
  const of = (image: 'before' | 'after') => wantedImage(part, row, image, mode);
  const hasBefore = part.op === 'update' || part.op === 'delete';
  switch (mode) {
    case 'json':
      return [
        ...(hasBefore ? [`"before":{"dataColumn":${of('before')}},"after":null`] : []),
        ...(part.op === 'delete' ? [] : [`"before":null,"after":{"dataColumn":${of('after')}}`]),
      ];
    case 'debezium':
      return [
        `"before":${hasBefore ? of('before') : 'null'},"after":${part.op === 'delete' ? 'null' : of('after')},"source"`,
      ];
    case 'canal':
      return [`"data":[${of(part.op === 'delete' ? 'before' : 'after')}],"old":`];
  }
}

/** Compares each record with what it must be, and has it read by a parser that rounds nothing and forgives nothing. */
function compare(mode: Mode, part: RowsPart): number {
  const { key } = part.table;
  const values = encoded(open(mode), [part], TO).filter(({ value }) => value !== null);
  const images = Array.from({ length: part.count }, (_, row) =>
    wanted(mode, part, row).map((text) => ({ row, text })),
  ).flat();
  assert.equal(values.length, images.length);
  for (const [index, { row, text }] of images.entries()) {
    const record = values[index] as EncodedRecord;
    const value = record.value ?? '';
    parseJson(value);
    assert.ok(value.includes(text), `${mode}: ${value}\nlacks ${text}`);
    const image = part.op === 'delete' ? 'before' : 'after';
    if (mode === 'debezium') parseJson(record.key ?? '');
    else assert.equal(record.key, wantedImage(part, row, image, 'key', key));
  }
  return images.length;
}

for (const family of FAMILIES) {
  void describe(`records of ${family}`, () => {
    void it('have every value of random tables as plain means make it, loaded and streamed', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const random = randomOf(seed);
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      const source = openSource(server, database);
      const follower = new Follower(source);
      let records = 0;
      let failed: unknown = null;
      follower.onRows = (part) => {
        try {
          for (const mode of MODES) records += compare(mode, part);
        } catch (error) {
          failed ??= error;
        }
      };
      const names = Array.from({ length: TABLES }, (_, index) => `t${index}`);
      const writes: string[] = [];
      for (const name of names) {
        const columns = Array.from({ length: COLUMNS }, (_, index) => randomColumn(random, `c${index}`, family));
        const second = columns.find(({ keyable }) => keyable);
        const key = second === undefined ? 'k' : `${second.name}, k`;
        const isKey = (column: RandomColumn) => column === second;
        await client.query(
          `CREATE TABLE ${name} (k INT, ${columns.map((column) => `${column.name} ${column.sql}${isKey(column) ? ' NOT NULL' : ''}`).join()}, PRIMARY KEY (${key}))`,
        );
        const given = columns.filter(({ generated }) => !generated);
        const rowSql = (k: number) =>
          `INSERT INTO ${name} (k, ${given.map((column) => column.name).join()}) VALUES (${k}, ${given
            .map((column) => (!isKey(column) && random() < 0.15 ? 'NULL' : column.literal(random)))
            .join()})`;
        for (let k = 0; k < ROWS; k += 1) await client.query(rowSql(k));
        for (let k = ROWS; k < 2 * ROWS; k += 1) writes.push(rowSql(k));
        const changed = given.find((column) => !isKey(column));
        if (changed !== undefined)
          for (let k = 0; k < ROWS; k += 2) {
            writes.push(`UPDATE ${name} SET ${changed.name} = ${changed.literal(random)} WHERE k = ${k}`);
          }
        writes.push(`DELETE FROM ${name} WHERE k % 3 = 0`, `INSERT INTO ${name} (k) VALUES (-1)`);
      }
      try {
        follower.start(1, await Promise.all(names.map((name) => joining(source, database, name))));
        await follower.until(() => names.every((name) => follower.state(database, name) === 'STREAMING'));
        for (const sql of writes) await client.query(sql);
        await follower.until(() => names.every((name) => follower.rows(database, name).some(({ k }) => k === '-1')));
        if (failed !== null) throw failed;
        // Loaded and streamed rows, updates and deletes; DataWorks has two records of an update.
        assert.ok(records > 3 * TABLES * 2 * ROWS);
      } finally {
        await follower.stop();
        await client.query(`DROP DATABASE ${database}`);
        await client.end();
      }
    });
  });
}
