import assert from 'node:assert/strict';
import type { Connection } from 'mysql2/promise';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { joining, openSource, settingsOf } from '../../../test/support/source-under-test.ts';
import { StallingProxy } from '../../../test/support/stalling-proxy.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { ChunkReader } from './load/chunk-reader.ts';
import { connectForQueries } from './connect.ts';
import { loadMethod } from './load/load-method.ts';
import { asMysqlSettings } from './options.ts';
import { readSchema } from './schema.ts';
import { readLogEnd, readServerFacts } from './server-facts.ts';

/** Timers stand still; what comes over the network does not. */
function stopTime(t: TestContext): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  return async (ms) => {
    t.mock.timers.tick(ms);
    // Answers of a real server on the same machine come within this.
    for (const until = performance.now() + 100; performance.now() < until; ) await turn();
  };
}

/** Waits, in real time, until that is so. */
async function until(what: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error('it did not come to that');
    await turn();
  }
}

/** What a promise comes to, as it stands. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const waiting = turn('waiting');
  return Promise.race([
    promise.then(
      () => 'done',
      (error: unknown) =>
        error instanceof PipelineError ? `${error.kind} ${error.code}: ${error.message}` : String(error),
    ),
    waiting,
  ]);
}

/** Lets 90 s pass in which the server is asked, and answers, each time. */
async function askedSixTimes(t: TestContext, proxy: StallingProxy): Promise<void> {
  /** Both ends of the one that is waited on. */
  const isAlone = () => proxy.open === 2;
  await until(async () => isAlone());
  for (let times = 0; times < 6; times += 1) {
    const made = proxy.made;
    t.mock.timers.tick(15_000);
    await until(async () => proxy.made > made && isAlone());
  }
  t.mock.timers.tick(2000);
  await turn();
}

/** Whether the statement that is to wait does so already. */
async function waitsForLock(client: Connection): Promise<boolean> {
  const [threads] = await client.query('SHOW PROCESSLIST');
  return (threads as { db: string | null; State: string | null; Info: string | null }[]).some(
    ({ State, Info }) => /metadata lock/.test(State ?? '') && Info?.includes(client.config.database ?? '') === true,
  );
}

for (const family of FAMILIES) {
  void describe(`A connection to ${family} that falls silent`, () => {
    async function setUp() {
      const server = await sharedServer(family);
      const proxy = await StallingProxy.open(server.port);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
      return { proxy, database, client, through: { ...server, port: proxy.port } };
    }

    /** A reader of chunks that has read one, and what it needs for the next. */
    async function loading({ through, database }: Awaited<ReturnType<typeof setUp>>) {
      const settings = asMysqlSettings(settingsOf(through, database));
      const questions = await connectForQueries(settings);
      const facts = await readServerFacts(questions);
      const [entry] = await readSchema(questions, facts, [{ database, table: 't' }]);
      const position = await readLogEnd(questions, facts);
      questions.close();
      if (entry?.kind !== 'table' || position === null) throw new Error('no table');
      const { table } = entry;
      const chunks = new ChunkReader(settings, facts, loadMethod(facts) ?? 'lock', {
        bytesMax: 64 << 20,
        onLong: async () => {},
      });
      const read = async () => {
        const found = await chunks.read(table, { position, gtids: '' }, null, 10);
        return found.kind === 'chunk' ? found.rows.count : found.error;
      };
      assert.equal(await read(), 2);
      return { chunks, read };
    }

    void it('is given up after 20 s by who reads the log, and the run may try again (C26)', async (t) => {
      const { proxy, database, client, through } = await setUp();
      const source = openSource(through, database);
      const table = await joining(source, database, 't');
      const stop = new AbortController();
      const batches = source
        .read({
          after: null,
          tables: { version: 1, tables: [{ ...table, load: 'none' }] },
          start: null,
          signal: stop.signal,
        })
        [Symbol.asyncIterator]();
      await batches.next();
      proxy.stall({ alsoNew: true });
      const pass = stopTime(t);
      const next = (async () => {
        for (;;) if ((await batches.next()).done === true) return;
      })();
      next.catch(() => {});
      await pass(0);
      await pass(19_000);
      const before = await stateOf(next);
      await pass(1000);
      assert.deepEqual(
        [before, await stateOf(next)],
        ['waiting', 'transient MySQL.Unavailable: reading the binary log: nothing came for 20 s, not even a heartbeat'],
      );
      await source.close();
      proxy.close();
      await client.end();
    });

    for (const alsoNew of [false, true]) {
      const how = alsoNew ? 'the server cannot be asked either' : 'the server says that it answered long ago';
      void it(`is given up by a load within 30 s when ${how}`, async (t) => {
        const setting = await setUp();
        const { chunks, read } = await loading(setting);
        setting.proxy.stall({ alsoNew });
        const pass = stopTime(t);
        const chunk = read();
        chunk.catch(() => {});
        await pass(0);
        await pass(14_000);
        const before = await stateOf(chunk);
        await pass(1000);
        if (alsoNew) await pass(10_000); // for the connection on which to ask
        // What may be on its way then has two seconds.
        await until(async () => {
          t.mock.timers.tick(2000);
          return (await stateOf(chunk)) !== 'waiting';
        });
        assert.deepEqual(
          [before, await stateOf(chunk)],
          [
            'waiting',
            'transient MySQL.Unavailable: loading existing rows: nothing came for 15 s, and the server is not at work on it',
          ],
        );
        chunks.close();
        setting.proxy.close();
        await setting.client.end();
      });
    }

    void it('is waited for by a load as long as the server is at work on it', async (t) => {
      const setting = await setUp();
      const { chunks, read } = await loading(setting);
      await setting.client.query('LOCK TABLES t WRITE');
      stopTime(t);
      const chunk = read();
      await until(() => waitsForLock(setting.client));
      await askedSixTimes(t, setting.proxy);
      assert.equal(await stateOf(chunk), 'waiting');
      t.mock.timers.reset();
      await setting.client.query('UNLOCK TABLES');
      assert.equal(await chunk, 2);
      chunks.close();
      setting.proxy.close();
      await setting.client.end();
    });

    void it('is waited for by a question about metadata that takes long (C25)', async (t) => {
      const { proxy, database, client, through } = await setUp();
      const questions = await connectForQueries(asMysqlSettings(settingsOf(through, database)));
      await client.query('LOCK TABLES t WRITE');
      stopTime(t);
      const answer = questions.query(`SELECT COUNT(*) AS n FROM \`${database}\`.t`);
      await until(() => waitsForLock(client));
      await askedSixTimes(t, proxy);
      assert.equal(await stateOf(answer), 'waiting');
      await client.query('UNLOCK TABLES');
      assert.deepEqual(await answer, [{ n: '2' }]);
      questions.close();
      proxy.close();
      await client.end();
    });

    void it('is given up by a question about metadata, also while the session is prepared', async (t) => {
      const { proxy, database, client, through } = await setUp();
      const settings = asMysqlSettings(settingsOf(through, database));
      const questions = await connectForQueries(settings);
      proxy.stall({ alsoNew: true });
      const pass = stopTime(t);
      const answer = questions.query('SELECT 1');
      const connecting = connectForQueries(settings);
      for (const promise of [answer, connecting]) promise.catch(() => {});
      await pass(0);
      await pass(10_000);
      await pass(5000);
      await pass(10_000); // for the connection on which to ask
      await pass(2000);
      assert.deepEqual(
        [await stateOf(answer), await stateOf(connecting)],
        [
          'Error: nothing came for 15 s, and the server is not at work on it',
          `transient MySQL.Unavailable: connecting to 127.0.0.1:${proxy.port}: connect ETIMEDOUT`,
        ],
      );
      questions.close();
      proxy.close();
      await client.end();
    });
  });
}
