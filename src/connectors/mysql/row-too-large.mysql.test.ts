import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, settingsOf } from '../../../test/support/source-under-test.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { ChunkReader } from './load/chunk-reader.ts';
import type { ChunkCursor } from './load/chunk-sql.ts';
import { connectForQueries } from './connect.ts';
import { loadMethod } from './load/load-method.ts';
import { asMysqlSettings } from './options.ts';
import { readSchema } from './schema.ts';
import { readLogEnd, readServerFacts } from './server-facts.ts';

const MIB = 2 ** 20;

for (const family of FAMILIES) {
  void test(`a row of ${family} that memory has no room for fails its table while it is loaded, and ends the run in the log`, async () => {
    const server = await sharedServer(family);
    const database = await freshMysqlDatabase(server);
    const client = await mysqlClient(server, database);
    await client.query('CREATE TABLE t (id INT PRIMARY KEY, body LONGTEXT); CREATE TABLE u LIKE t');
    await client.query(`INSERT INTO t VALUES (1, 'small'), (2, REPEAT('x', ${3 * MIB}))`);
    const source = openSource(server, database, {}, {}, 4 * MIB);
    const follower = new Follower(source);
    follower.start(1, [await joining(source, database, 't'), await joining(source, database, 'u')]);
    await follower.until(
      () => follower.state(database, 't') === 'FAILED' && follower.state(database, 'u') === 'STREAMING',
    );
    assert.equal(follower.failure(database, 't')?.code, 'MySQL.RowTooLarge');
    await client.query(`INSERT INTO u VALUES (1, REPEAT('x', ${3 * MIB}))`);
    await follower.until(() => follower.rows(database, 'u').length === 1);
    await client.query(`INSERT INTO u VALUES (2, REPEAT('x', ${20 * MIB}))`);
    await follower.ended();
    assert.ok(follower.error instanceof PipelineError);
    const { code, kind, hint } = follower.error;
    assert.deepEqual([code, kind], ['MySQL.RowTooLarge', 'fatal']);
    assert.match(hint ?? '', /5\.1 times its runMemoryMb/);
    assert.equal(follower.rows(database, 'u').length, 1);
    await follower.stop();
    await client.end();
  });

  void test(`a chunk of ${family} ends with long rows, however many were asked for, and the next one begins behind it`, async () => {
    const server = await sharedServer(family);
    const database = await freshMysqlDatabase(server);
    const client = await mysqlClient(server, database);
    await client.query('CREATE TABLE t (id INT PRIMARY KEY, body LONGTEXT)');
    const long = (id: number) => id >= 300 && id < 330;
    const rows = Array.from({ length: 900 }, (_, id) => `(${id}, ${long(id) ? `REPEAT('x', ${MIB})` : "'x'"})`);
    await client.query(`INSERT INTO t VALUES ${rows.join()}`);
    await client.end();
    const settings = asMysqlSettings(settingsOf(server, database));
    const questions = await connectForQueries(settings);
    const facts = await readServerFacts(questions);
    const [entry] = await readSchema(questions, facts, [{ database, table: 't' }]);
    const position = await readLogEnd(questions, facts);
    questions.close();
    if (entry?.kind !== 'table' || position === null) throw new Error('no table');
    const chunks = new ChunkReader(settings, facts, loadMethod(facts) ?? 'lock', {
      bytesMax: 2 * MIB,
      onLong: async () => {},
    });
    const counts: number[] = [];
    const ids: number[] = [];
    for (let cursor: ChunkCursor | null = null, last = false; !last; ) {
      const chunk = await chunks.read(entry.table, { position, gtids: '' }, cursor, 400);
      if (chunk.kind !== 'chunk') throw chunk.error;
      counts.push(chunk.rows.count);
      for (let row = 0; row < chunk.rows.count; row += 1) ids.push(Number(chunk.rows.text(row, 0, 'utf8')));
      ({ cursor, last } = chunk);
    }
    chunks.close();
    assert.deepEqual(counts, [308, 8, 8, 400, 176]);
    assert.deepEqual(
      ids,
      Array.from({ length: 900 }, (_, id) => id),
    );
  });
}
