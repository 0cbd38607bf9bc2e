import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../../test/support/servers.ts';
import { Follower, joining, openSource } from '../../../../test/support/source-under-test.ts';
import type { TableProgress } from '../../../pipeline/checkpoint.ts';
import type { Offset } from '../../../pipeline/offset.ts';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { StartPoint } from '../../../pipeline/source.ts';
import { GtidSet } from './gtid-set.ts';
import { offsetFromJson } from './position.ts';

for (const family of FAMILIES) {
  void describe(`A first start on ${family}`, () => {
    const status = family === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
    const executed = family === 'mysql' ? '@@global.gtid_executed' : '@@global.gtid_binlog_pos';

    async function setUp(sql = '') {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query(`CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); ${sql}`);
      const first = async (query: string) => {
        const [rows] = await client.query(query);
        return (rows as Record<string, string>[])[0] ?? {};
      };
      return {
        client,
        place: async () => {
          const { File: file = '', Position: position } = await first(status);
          return { kind: 'position', file, position: Number(position) } as const;
        },
        gtids: async () => ((await first(`SELECT ${executed} AS gtids`))['gtids'] ?? '').replaceAll(/\s/g, ''),
        /** The ids that a source delivers from `start` on, once the last of them has come; and an offset on the way. */
        read: async (
          start: StartPoint | null,
          last: string,
          after: { offset: Offset | null; progress: TableProgress | null } = { offset: null, progress: null },
        ) => {
          const source = openSource(server, database);
          const follower = new Follower(source);
          const table = await joining(source, database, 't', { load: 'none', progress: after.progress });
          follower.start(1, [table], after.offset, start);
          await follower.until(() => follower.rows(database, 't').some(({ id }) => id === last));
          await follower.stop();
          const [progress = null] = follower.states.values();
          return { ids: follower.rows(database, 't').map(({ id }) => id), offset: follower.offset, progress };
        },
        /** Why a source refuses to begin there. */
        refusal: async (start: StartPoint) => {
          const source = openSource(server, database);
          const follower = new Follower(source);
          follower.start(1, [await joining(source, database, 't', { load: 'none' })], null, start);
          await follower.ended();
          await source.close();
          assert.ok(follower.error instanceof PipelineError, String(follower.error));
          const { kind, code, message, hint } = follower.error;
          return { kind, code, message, hint };
        },
      };
    }

    void it('begins at a place of the log, goes on in the next file, and knows what was executed before', async () => {
      const { client, place, gtids, read } = await setUp();
      const start = await place();
      const before = await gtids();
      await client.query('INSERT INTO t VALUES (2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3)');
      const { ids, offset } = await read(start, '3');
      assert.deepEqual(ids, ['2', '3']);
      const { gtids: passed } = offsetFromJson(offset ?? {});
      assert.ok(passed !== null);
      if (family === 'mysql') assert.ok(GtidSet.parse(before).subtract(GtidSet.parse(passed)).isEmpty);
      else assert.match(passed, /^0-1-\d+$/);
      await client.end();
    });

    void it('begins with the next file when the place is the end of one', async () => {
      const { client, place, read } = await setUp();
      const { file } = await place();
      await client.query('FLUSH BINARY LOGS; INSERT INTO t VALUES (2)');
      const [logs] = await client.query('SHOW BINARY LOGS');
      const { File_size: size } = (logs as { Log_name: string; File_size: number }[]).find(
        (log) => log.Log_name === file,
      ) ?? {
        File_size: 0,
      };
      assert.deepEqual((await read({ kind: 'position', file, position: size }, '2')).ids, ['2']);
      await client.end();
    });

    void it('delivers rows of an XA transaction that was prepared before the place and is committed behind it', async () => {
      const { client, place, read } = await setUp('FLUSH BINARY LOGS');
      await client.query(
        "XA START 'first-start'; INSERT INTO t VALUES (2); XA END 'first-start'; XA PREPARE 'first-start'",
      );
      const start = await place();
      await client.query("XA COMMIT 'first-start'; INSERT INTO t VALUES (3)");
      assert.deepEqual((await read(start, '3')).ids, ['2', '3']);
      await client.end();
    });

    void it('refuses a place within a transaction, and names those next to it', async () => {
      const { client, place, refusal } = await setUp();
      const before = await place();
      await client.query('INSERT INTO t VALUES (2), (3)');
      const [events] = await client.query(`SHOW BINLOG EVENTS IN '${before.file}' FROM ${before.position}`);
      const rows = (events as { Event_type: string; Pos: number }[]).find(({ Event_type: type }) =>
        type.startsWith('Write_rows'),
      );
      const within = { kind: 'position', file: before.file, position: rows?.Pos ?? 0 } as const;
      const after = await endOfTransaction(client, within);
      for (const position of [within.position, within.position + 1]) {
        assert.deepEqual(await refusal({ ...within, position }), {
          kind: 'fatal',
          code: 'MySQL.StartPosition',
          message: `${before.file}:${position} is not between two transactions`,
          hint: `Start at ${before.file}:${before.position}, or at ${before.file}:${after}.`,
        });
      }
      await client.end();
    });

    void it('refuses a place that the log does not reach, and says how far it does', async () => {
      const { client, place, refusal } = await setUp();
      const end = await place();
      const [logs] = await client.query('SHOW BINARY LOGS');
      const { Log_name: oldest } = (logs as { Log_name: string }[])[0] ?? { Log_name: '' };
      const beyond = await refusal({ ...end, position: 2 ** 40 });
      const unknown = await refusal({ kind: 'position', file: 'other.000001', position: 4 });
      const messages = [beyond, unknown].map(
        ({ code, message }) => `${code}: ${message.replaceAll(/(?<=binlog\.\d+:)\d{2,}|(?<=ends at )\d+/g, 'N')}`,
      );
      assert.deepEqual(messages, [
        `MySQL.StartPosition: ${end.file} ends at N, before the position ${2 ** 40} that was asked for; the log: it reaches from ${oldest}:4 to ${end.file}:N`,
        `MySQL.StartPosition: the log has no file other.000001: it reaches from ${oldest}:4 to ${end.file}:N`,
      ]);
      await client.end();
    });

    void it('begins behind transactions, in whichever file that is, and keeps to them over a restart', async () => {
      const { client, gtids, read } = await setUp();
      const start = { kind: 'gtids', gtids: await gtids() } as const;
      await client.query('FLUSH BINARY LOGS; INSERT INTO t VALUES (2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3)');
      const before = await read(start, '3');
      assert.deepEqual(before.ids, ['2', '3']);
      await client.query('INSERT INTO t VALUES (4)');
      assert.deepEqual((await read(start, '4', before)).ids, ['4']);
      await client.end();
    });

    void it('refuses transactions that the server has not got, and those of another family', async () => {
      const { client, gtids, refusal } = await setUp();
      const [ours, others] = [
        ['00000000-0000-0000-0000-00000000abcd:1-3', '0-1-5'],
        ['0-1-9999999', '00000000-0000-0000-0000-00000000abcd:1-3'],
      ][family === 'mysql' ? 0 : 1] as [string, string];
      const wanted = family === 'mysql' ? `${await gtids()},${ours}` : ours;
      const [missing, foreign] = [
        await refusal({ kind: 'gtids', gtids: wanted }),
        await refusal({ kind: 'gtids', gtids: others }),
      ];
      assert.deepEqual([missing.kind, missing.code, foreign.code], ['fatal', 'MySQL.StartGtid', 'MySQL.StartGtid']);
      assert.ok(missing.message.endsWith(`and the server has not got ${ours}`), missing.message);
      assert.match(foreign.message, /which writes them otherwise$/);
      await client.end();
    });

    void it('refuses a time before the log, and says how far back it reaches (C23)', async () => {
      const { client, refusal } = await setUp();
      const { code, message } = await refusal({ kind: 'time', seconds: 1000 });
      assert.equal(code, 'MySQL.StartTimePurged');
      assert.match(
        message,
        /^startTime is 1970-01-01T00:16:40\.000Z, and the log reaches back to 20\d\d-\S+Z only \(binlog\.\d+\)$/,
      );
      await client.end();
    });
  });
}

void it('A first start behind a set of MySQL with a hole delivers the missing transaction, and those behind the set', async () => {
  const server = await sharedServer('mysql');
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  await client.query('CREATE TABLE t (id INT PRIMARY KEY)');
  const executed = async () => {
    const [rows] = await client.query('SELECT @@global.gtid_executed AS gtids');
    return GtidSet.parse((rows as { gtids: string }[])[0]?.gtids ?? '');
  };
  await client.query("SET SESSION gtid_next = '11111111-2222-3333-4444-555555555555:1'; INSERT INTO t VALUES (1)");
  await client.query('SET SESSION gtid_next = AUTOMATIC; INSERT INTO t VALUES (2)');
  const gtids = (await executed()).subtract(GtidSet.parse('11111111-2222-3333-4444-555555555555:1')).toString();
  await client.query('INSERT INTO t VALUES (3)');
  const source = openSource(server, database);
  const follower = new Follower(source);
  follower.start(1, [await joining(source, database, 't', { load: 'none' })], null, { kind: 'gtids', gtids });
  await follower.until(() => follower.rows(database, 't').some(({ id }) => id === '3'));
  await follower.stop();
  assert.deepEqual(follower.rows(database, 't'), [{ id: '1' }, { id: '3' }]);
  await client.end();
});

/** Behind the commit of the transaction in which `place` lies. */
async function endOfTransaction(client: Connection, { file, position }: { file: string; position: number }) {
  const [events] = await client.query(`SHOW BINLOG EVENTS IN '${file}' FROM ${position}`);
  const commit = (events as { Event_type: string; End_log_pos: number }[]).find(
    ({ Event_type: type }) => type === 'Xid',
  );
  return commit?.End_log_pos;
}
