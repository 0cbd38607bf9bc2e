import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import { FAMILIES, mysqlClient } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { type Ends, fillSql, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

const WRITERS = 16;
const ROWS = 8000;

/** Writes rows of a, b and c until `stop.now`, keys often the same as its neighbours'. */
async function write(connection: Connection, random: () => number, stop: { now: boolean }): Promise<void> {
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? '';
  while (!stop.now) {
    const table = pick(['a', 'b', 'c']);
    const id = 1 + Math.floor(random() * ROWS);
    const sql = pick([
      `UPDATE ${table} SET n = n + 1 WHERE id = ${id}`,
      `DELETE FROM ${table} WHERE id = ${id}`,
      `REPLACE INTO ${table} VALUES (${id}, ${id})`,
      `UPDATE ${table} SET id = id + ${ROWS} WHERE id = ${id}`,
      `UPDATE ${table} SET id = id - ${ROWS} WHERE id = ${id + ROWS}`,
    ]);
    await connection.query(sql).catch((error: { code?: string }) => {
      if (error.code !== 'ER_DUP_ENTRY' && error.code !== 'ER_LOCK_DEADLOCK') throw error;
    });
    await new Promise((resolve) => setTimeout(resolve, random() * 40));
  }
  await connection.end();
}

async function opened(ends: Ends): Promise<TaskUnderTest> {
  await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a');
  for (const sql of ['a', 'b', 'c'].flatMap((table) => fillSql(table, ROWS))) await ends.mysql.query(sql);
  return new TaskUnderTest(await Service.start(), ends);
}

for (const family of FAMILIES) {
  void describe(`under ${WRITERS} writers, ${family} to PostgreSQL`, () => {
    void it('adds race removes of the same tables, and those wanted in the end are equal', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const random = randomOf(seed);
      const ends = await openEnds(family);
      const task = await opened(ends);
      const stop = { now: false };
      const writers = await Promise.all(
        Array.from({ length: WRITERS }, async (_, at) => {
          const connection = await mysqlClient(ends.source, ends.database);
          return { done: write(connection, randomOf(seed + at), stop) };
        }),
      );
      try {
        await task.run({ table: ['a'] });
        for (let turn = 0; turn < 10; turn += 1) {
          await task.change({ table: ['a', ...['b', 'c'].filter(() => random() < 0.5)] });
          await new Promise((resolve) => setTimeout(resolve, random() * 150));
        }
        await task.change({ table: ['a', 'b', 'c'] });
        const { extend } = await task.untilStreaming('a', 'b', 'c');
        assert.deepEqual([extend.appliedVersion, extend.tables.length], [12, 3], `seed ${seed}`);
        stop.now = true;
        await Promise.all(writers.map(({ done }) => done));
        for (const table of ['a', 'b', 'c']) assert.ok((await task.untilEqual(table)) > ROWS / 4, `seed ${seed}`);
      } finally {
        stop.now = true;
        await Promise.allSettled(writers.map(({ done }) => done));
        await task.service.dispose();
        await ends.close();
      }
    });
  });
}
