import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { outcomes, probeStages } from '../../../test/support/probe-stages.ts';
import { freshPgDatabase, pgClient, sharedServer, type TestServer } from '../../../test/support/servers.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import { hologresConnector } from './connector.ts';

const probe = (content: JsonObject) => probeStages(hologresConnector, content);

void describe('a probe of PostgreSQL', () => {
  let server: TestServer;
  let database: string;
  let content: JsonObject;
  before(async () => {
    server = await sharedServer('postgres');
    database = await freshPgDatabase(server);
    content = {
      endpoint: `localhost:${server.port}`,
      database,
      accessId: server.user,
      accessKey: server.password,
    };
  });

  void it('passes every stage of a server that is fit', async () => {
    const stages = await probe(content);
    assert.deepEqual(outcomes(stages), [
      'name resolution: passed',
      'TCP: passed',
      'TLS: skipped',
      'login: passed',
      'grants: passed',
    ]);
    assert.equal(stages[4]?.found, `the account may make schemas in the database ${database}`);
  });

  void it('ends where the way ends, with the code', async () => {
    assert.deepEqual(outcomes(await probe({ ...content, endpoint: '127.0.0.1:1' })), [
      'name resolution: passed',
      'TCP: failed',
    ]);
    const nobody = await probe({ ...content, accessId: 'nobody_there', accessKey: 'canary' });
    assert.deepEqual(outcomes(nobody).at(-1), 'login: failed');
    assert.deepEqual([nobody.at(-1)?.code, /canary/.test(JSON.stringify(nobody))], ['Sink.Denied', false]);
    const tls = await probe({ ...content, ssl: { mode: 'verify-identity' } });
    assert.deepEqual(outcomes(tls).at(-1), 'TLS: failed');
    assert.equal(tls.at(-1)?.code, 'Sink.TlsFailed');
  });

  void it('names the right that is missing', async () => {
    const user = database.slice(-20);
    const root = await pgClient(server, database);
    await root.query(
      `CREATE ROLE "${user}" LOGIN PASSWORD 'p'; REVOKE CREATE ON SCHEMA public FROM PUBLIC; REVOKE CREATE ON DATABASE "${database}" FROM PUBLIC`,
    );
    const denied = (await probe({ ...content, accessId: user, accessKey: 'p' })).at(-1);
    assert.deepEqual(
      [denied?.outcome, denied?.code, denied?.remedy],
      ['failed', 'Sink.Denied', `GRANT CREATE ON DATABASE "${database}" TO "${user}";`],
    );
    await root.query(`CREATE SCHEMA own AUTHORIZATION "${user}"`);
    const granted = (await probe({ ...content, accessId: user, accessKey: 'p' })).at(-1);
    assert.equal(granted?.found, 'the account may make tables in own');
    await root.query(`DROP SCHEMA own; DROP OWNED BY "${user}"; DROP ROLE "${user}"`);
    await root.end();
  });

  void it('is beside a catalogue of schemas, tables and columns, page by page', async () => {
    const root = await pgClient(server, database);
    await root.query(
      'CREATE SCHEMA "s""1"; CREATE SCHEMA disync; CREATE TABLE disync.checkpoint (a int); CREATE TABLE "s""1".b (id bigint, t varchar(7)); CREATE TABLE public.a (n numeric(5,2)); CREATE VIEW public.v AS SELECT 1',
    );
    await root.end();
    const settings = hologresConnector.parseSettings(content, DEFAULT_HOST_POLICY);
    const signal = AbortSignal.timeout(20_000);
    const page = (offset: number, limit: number) =>
      hologresConnector.readCatalogue({ settings, offset, limit, signal });
    assert.deepEqual(await page(0, 10), {
      schemas: [
        { database, schema: 'public' },
        { database, schema: 's"1' },
      ],
      tables: [
        { database, schema: 'public', table: 'a', columns: [{ name: 'n', type: 'numeric(5,2)' }] },
        {
          database,
          schema: 's"1',
          table: 'b',
          columns: [
            { name: 'id', type: 'bigint' },
            { name: 't', type: 'character varying(7)' },
          ],
        },
      ],
      total: 2,
    });
    assert.deepEqual(
      (await page(1, 1)).tables.map(({ table }) => table),
      ['b'],
    );
  });
});
