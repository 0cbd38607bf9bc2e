import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Connection } from 'mysql2/promise';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { type Server, startServer } from '../../../scripts/servers/servers.ts';
import { freePort } from '../../../scripts/servers/free-port.ts';
import { findProgram } from '../../../scripts/servers/packages.ts';
import { SELF_SIGNED } from '../../../test/support/self-signed.ts';
import { mysqlClient, sharedServer, type TestServer, uniqueName } from '../../../test/support/servers.ts';
import { Follower, joining } from '../../../test/support/source-under-test.ts';
import { silentLog } from '../../lib/log.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { DEFAULT_DDL_POLICIES } from '../../pipeline/policies.ts';
import type { Source } from '../../pipeline/source.ts';
import { connectForQueries } from './connect.ts';
import { mysqlConnector } from './connector.ts';
import { asMysqlSettings } from './options.ts';
import { RawConnection } from './protocol/raw-connection.ts';

/** The settings of a data source of that server. */
function settingsOf(
  { port, user, password }: TestServer,
  ssl: JsonObject,
  database = 'mysql',
  host = '127.0.0.1',
): Json {
  return mysqlConnector.parseSettings({ host, port, username: user, password, database, ssl }, DEFAULT_HOST_POLICY);
}

/** The cipher of a connection with these settings; or how it failed. */
async function cipher(settings: Json): Promise<string> {
  try {
    const connection = await connectForQueries(asMysqlSettings(settings));
    const [row] = await connection.query("SHOW STATUS LIKE 'Ssl_cipher'");
    connection.close();
    return row?.['Value'] === '' ? 'in clear' : 'encrypted';
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return `${error.kind} ${error.code}: ${error.message.replace(/^connecting to \S+: |;.*$/g, '')}`;
  }
}

void describe('A MariaDB that takes encrypted connections only', () => {
  const folder = mkdtempSync(join(tmpdir(), 'disync-tls-'));
  let server: Server;
  let root: Connection;
  before(async () => {
    chmodSync(folder, 0o755);
    for (const [name, text] of Object.entries(SELF_SIGNED)) writeFileSync(join(folder, name), text);
    const [cert, key] = [join(folder, 'cert'), join(folder, 'key')];
    server = await startServer('mariadb', { ssl_cert: cert, ssl_key: key, ssl_ca: cert, tls_version: 'TLSv1.3' });
    root = await mysqlClient(server);
    await root.query('SET GLOBAL require_secure_transport = ON');
  });
  after(async () => {
    await root.end();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  void it('is reached in each mode that it can be proven in, and in no other (C29)', async () => {
    const ca = SELF_SIGNED.cert;
    const other = await authorityOf(await sharedServer('mysql'));
    const modes: readonly JsonObject[] = [
      { mode: 'required' },
      { mode: 'verify-ca', ca },
      { mode: 'verify-identity', ca },
      { mode: 'verify-ca' },
      { mode: 'verify-ca', ca: other },
      { mode: 'disabled' },
    ];
    const found = [];
    for (const ssl of modes) found.push(await cipher(settingsOf(server, ssl)));
    assert.deepEqual(found, [
      'encrypted',
      'encrypted',
      'encrypted',
      'fatal MySQL.TlsFailed: self-signed certificate',
      'fatal MySQL.TlsFailed: self-signed certificate',
      "fatal MySQL.Denied: Access denied for user 'root'@'127.0.0.1' (using password: YES)",
    ]);
  });

  void it('is loaded and followed through TLS, whatever limits the administrator has set for others', async () => {
    await root.query(
      'SET GLOBAL max_allowed_packet = 1048576, GLOBAL max_statement_time = 0.0001, GLOBAL sql_select_limit = 1',
    );
    await followed(server, root, { mode: 'verify-identity', ca: SELF_SIGNED.cert });
  });

  void it('waits for a reader that pauses for longer than net_write_timeout, as one does whose target is down (C27)', async () => {
    const database = uniqueName('t');
    await root.query(
      `CREATE DATABASE \`${database}\`; CREATE TABLE \`${database}\`.t (id INT PRIMARY KEY, b LONGBLOB); SET GLOBAL net_write_timeout = 1`,
    );
    const source = openSource(settingsOf(server, { mode: 'required' }, database));
    const table = await joining(source, database, 't', { load: 'none' });
    const stop = new AbortController();
    const tables = { version: 1, tables: [table] };
    const batches = source.read({ after: null, tables, start: null, signal: stop.signal })[Symbol.asyncIterator]();
    await batches.next();
    // More than the buffers between hold.
    for (let id = 1; id <= 20; id += 1)
      await root.query(`INSERT INTO \`${database}\`.t VALUES (?, REPEAT('x', 3000000))`, [id]);
    await setTimeout(2500);
    let rows = 0;
    while (rows < 20) rows += (await batches.next()).value?.rows ?? 0;
    assert.equal(rows, 20);
    stop.abort();
    await batches.next();
    await source.close();
  });
});

void it('A MySQL with the certificates that it made itself is proven by its authority, but not as the host of an address', async () => {
  const server = await sharedServer('mysql');
  const ca = await authorityOf(server);
  const unproven = await cipher(settingsOf(server, { mode: 'verify-identity', ca }));
  assert.match(unproven, /^fatal MySQL\.TlsFailed: .*certificate's altnames/);
  assert.equal(await cipher(settingsOf(server, { mode: 'verify-ca', ca })), 'encrypted');
  const root = await mysqlClient(server);
  await followed(server, root, { mode: 'verify-ca', ca });
  await root.end();
});

void it('A server without TLS is refused where the data source asks for it, and the hint names both ways out', async () => {
  const settings = settingsOf(await sharedServer('mariadb'), { mode: 'required' });
  await assert.rejects(connectForQueries(asMysqlSettings(settings)), {
    kind: 'fatal',
    code: 'MySQL.TlsFailed',
    hint: 'Switch TLS on at the server, or give the data source "ssl": {"mode": "disabled"}.',
  });
});

/** Packets of a connection, as a server sends them: [ length 3 ][ sequence 1 ][ payload ]. */
function packets(...payloads: readonly Buffer[]): Buffer {
  return Buffer.concat(
    payloads.flatMap((payload, sequence) => {
      const header = Buffer.alloc(4);
      header.writeUIntLE(payload.length, 0, 3);
      header[3] = sequence + 1;
      return [header, payload];
    }),
  );
}

const HAS_OPENSSL = findProgram('openssl') !== undefined;

void it('A TLS 1.3 connection goes on when the other end takes new keys (C29)', { skip: !HAS_OPENSSL }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'disync-keys-'));
  for (const [name, text] of Object.entries(SELF_SIGNED)) writeFileSync(join(folder, name), text);
  const port = await freePort();
  const files = ['-cert', join(folder, 'cert'), '-key', join(folder, 'key')];
  const server = spawn('openssl', ['s_server', '-tls1_3', '-msg', '-accept', String(port), ...files]);
  t.after(() => {
    server.kill();
    rmSync(folder, { recursive: true });
  });
  let said = '';
  server.stdout.on('data', (text: Buffer) => {
    said += text.toString('latin1');
  });
  const hears = async (what: RegExp, times: number) => {
    while ((said.match(what) ?? []).length < times) await once(server.stdout, 'data');
  };
  await hears(/ACCEPT/g, 1);
  const socket = connectTls({ port, host: '127.0.0.1', ca: SELF_SIGNED.cert });
  await once(socket, 'secureConnect');
  const connection = new RawConnection(socket);
  const end = Buffer.from([0xfe, 0, 0, 0, 0]);
  for (const [index, turn] of ['one', 'two', 'three'].entries()) {
    const rows = connection.query(`SELECT ${turn}`);
    await hears(new RegExp(`SELECT ${turn}`, 'g'), 1);
    server.stdin.write('K\n'); // on a line of its own: take new keys, and ask for the other's
    await hears(/>>> TLS 1\.3, Handshake \[length \w+\], KeyUpdate/g, index + 1);
    const row = Buffer.concat([Buffer.from([turn.length]), Buffer.from(turn)]);
    server.stdin.write(packets(Buffer.from([1]), Buffer.from('a column'), end, row, end));
    assert.deepEqual(await rows, [[turn]]);
  }
  assert.match(said, /<<< TLS 1\.3, Handshake \[length \w+\], KeyUpdate/);
  connection.close();
});

/** The certificate of the authority that a MySQL made for itself. */
async function authorityOf(server: TestServer): Promise<string> {
  const root = await mysqlClient(server);
  const [rows] = await root.query('SELECT @@datadir AS folder');
  await root.end();
  return readFileSync(join((rows as { folder: string }[])[0]?.folder ?? '', 'ca.pem'), 'utf8');
}

function openSource(settings: Json): Source {
  const policies = { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 1, intervalMinutes: 1 } };
  return mysqlConnector.open({
    settings,
    options: mysqlConnector.parseOptions({}),
    policies,
    memoryBytes: 128 << 20,
    log: silentLog,
  });
}

/** Loads a table and follows changes of it through TLS, and compares. */
async function followed(server: TestServer, root: Connection, ssl: JsonObject): Promise<void> {
  const database = uniqueName('t');
  await root.query(`CREATE DATABASE \`${database}\``);
  await root.query(`CREATE TABLE \`${database}\`.t (id INT PRIMARY KEY, b LONGBLOB)`);
  // More than one packet of 16 MiB, and longer than max_allowed_packet may be.
  const put = (id: number, bytes: number) =>
    root.query(`INSERT INTO \`${database}\`.t VALUES (?, REPEAT(RANDOM_BYTES(1000), ?))`, [
      id,
      Math.ceil(bytes / 1000),
    ]);
  await put(1, 20_000_000);
  const source = openSource(settingsOf(server, ssl, database));
  const follower = new Follower(source);
  follower.start(1, [await joining(source, database, 't')]);
  await follower.until(() => follower.state(database, 't') === 'STREAMING');
  await put(2, 18_000_000);
  for (let id = 3; id < 200; id += 1) await put(id, 5000);
  await follower.until(() => follower.rows(database, 't').length === 199);
  const found = follower.rows(database, 't').map(
    ({ id, b }) =>
      `${id}:${createHash('sha256')
        .update(Buffer.from(b?.slice(1) ?? '', 'hex'))
        .digest('hex')}`,
  );
  const [rows] = await root.query(`SELECT CONCAT(id, ':', SHA2(b, 256)) AS sum FROM \`${database}\`.t ORDER BY id`);
  assert.deepEqual(
    found.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
    (rows as { sum: string }[]).map(({ sum }) => sum),
  );
  await follower.stop();
  await root.query(`DROP DATABASE \`${database}\``);
}
