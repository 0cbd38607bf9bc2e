import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import type { RowsPart } from '../../src/pipeline/batch.ts';
import { whole } from './random-columns.ts';
import { type Family, freshMysqlDatabase, mysqlClient, type TestServer } from './servers.ts';
import { SlowAcknowledger } from './slow-acknowledger.ts';
import { joining, openSource, readRow, type Values } from './source-under-test.ts';

const WRITERS = 16;
/** Enough for some chunks. */
const ROWS = 20_000;
/** Writers go on for so long behind the end of the load. */
const AFTERWARDS_MS = 200;
const STREAMING_MS = 60_000;

/** How a load learns that the storage engine shows what the stream has passed (load-method.ts). */
type Method = 'snapshot' | 'gtid' | 'log-status' | 'lock';

export interface WindowSetting {
  readonly method: Method;
  readonly syncBinlog: 0 | 1;
  /** Transactions wait for a late acknowledgement between the log and the storage engine. */
  readonly semiSync: boolean;
}

export interface WindowResult extends WindowSetting {
  readonly changes: number;
  readonly loaded: number;
  /** Rows that a chunk read and the stream had touched meanwhile. */
  readonly leftToStream: number;
  /** Acknowledgements that came late; transactions that did not wait for one. */
  readonly acknowledged: number;
  readonly unacknowledged: number;
  readonly findings: readonly string[];
}

export const METHODS: Readonly<Record<Family, readonly Method[]>> = {
  mariadb: ['snapshot'],
  mysql: ['gtid', 'log-status', 'lock'],
};

/** Every combination for a family. */
export function windowSettings(family: Family): WindowSetting[] {
  return METHODS[family].flatMap((method) =>
    [false, true].flatMap((semiSync) => ([0, 1] as const).map((syncBinlog) => ({ method, syncBinlog, semiSync }))),
  );
}

/** What a server of a window campaign is started with: it must be the campaign's own. */
export function semiSyncServerSettings(family: Family): Readonly<Record<string, string>> {
  return family === 'mysql' ? { 'plugin-load-add': 'semisync_source.so' } : {};
}

/**
 * Loads a table while 16 writers change it. Every version of a row has a value of its own, so that each row can be told to be
 * older, equal or newer than what the stream has handed on for its key.
 */
export async function windowRound(
  server: TestServer & { readonly kind: Family },
  setting: WindowSetting,
  seed: number,
): Promise<WindowResult> {
  const database = await freshMysqlDatabase(server);
  const admin = await mysqlClient(server, database);
  await admin.query('CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT NOT NULL, pad VARCHAR(40) NOT NULL)');
  await fill(admin);
  await configure(admin, server.kind, setting);
  const random = randomOf(seed);
  const acknowledger = setting.semiSync ? await SlowAcknowledger.connect(server, () => 5 + whole(random, 60)) : null;
  const writers = new Writers(server, database, seed);
  const reader = new WindowReader();
  try {
    const before = await unacknowledgedIn(admin, server.kind);
    const account = setting.method === 'lock' ? await plainAccount(admin, server) : server;
    await writers.start();
    await reader.load(account, database);
    await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS));
    await writers.stop();
    await reader.untilEqual(admin);
    const unacknowledged = (await unacknowledgedIn(admin, server.kind)) - before;
    const acknowledged = acknowledger?.given ?? 0;
    const { findings, loaded } = reader;
    if (setting.semiSync && (acknowledged === 0 || unacknowledged > 0))
      findings.push(`${unacknowledged} transactions waited for no acknowledgement; ${acknowledged} were given`);
    const leftToStream = reader.leftToStream(ROWS);
    return { ...setting, changes: writers.changes, loaded, leftToStream, acknowledged, unacknowledged, findings };
  } finally {
    await writers.stop();
    await reader.stop();
    await setSemiSync(admin, server.kind, false);
    acknowledger?.close();
    await admin.query(`DROP DATABASE ${database}`);
    await admin.end();
  }
}

async function fill(admin: Connection): Promise<void> {
  for (let from = 1; from <= ROWS; from += 5000) {
    const rows = Array.from({ length: 5000 }, (_, index) => `(${from + index}, 0, '')`);
    await admin.query(`INSERT INTO t VALUES ${rows.join()}`);
  }
}

async function configure(admin: Connection, family: Family, setting: WindowSetting): Promise<void> {
  if (family === 'mysql') await setGtidMode(admin, setting.method === 'gtid');
  await admin.query(`SET GLOBAL sync_binlog = ${setting.syncBinlog}`);
  await setSemiSync(admin, family, setting.semiSync);
}

/** One step at a time, as the server wants it. */
async function setGtidMode(admin: Connection, on: boolean): Promise<void> {
  const [rows] = await admin.query('SELECT @@global.gtid_mode mode');
  const modes = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];
  const at = modes.indexOf((rows as { mode: string }[])[0]?.mode ?? '');
  const steps = on ? modes.slice(at + 1) : modes.slice(0, at).toReversed();
  for (const mode of steps) await admin.query(`SET GLOBAL gtid_mode = ${mode}`);
}

async function setSemiSync(admin: Connection, family: Family, on: boolean): Promise<void> {
  const name = family === 'mysql' ? 'rpl_semi_sync_source' : 'rpl_semi_sync_master';
  await admin.query(`SET GLOBAL ${name}_wait_point = 'AFTER_SYNC'`).catch(() => {});
  await admin.query(`SET GLOBAL ${name}_timeout = 60000`).catch(() => {});
  await admin.query(`SET GLOBAL ${name}_enabled = ${on ? 1 : 0}`);
}

async function unacknowledgedIn(admin: Connection, family: Family): Promise<number> {
  const name = family === 'mysql' ? 'Rpl_semi_sync_source_no_tx' : 'Rpl_semi_sync_master_no_tx';
  const [rows] = await admin.query(`SHOW GLOBAL STATUS LIKE '${name}'`);
  return Number((rows as { Value: string }[])[0]?.Value ?? 0);
}

/** An account that may not ask performance_schema.log_status: it must lock what it loads. */
async function plainAccount(admin: Connection, server: TestServer): Promise<TestServer> {
  await admin.query(`CREATE USER IF NOT EXISTS plain IDENTIFIED BY '${server.password}'`);
  await admin.query('GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO plain');
  return { ...server, user: 'plain' };
}

/** They insert, update, delete and move keys; a statement touches rows of one place, so that chunks are hit often. */
class Writers {
  changes = 0;
  readonly #server: TestServer;
  readonly #database: string;
  readonly #seed: number;
  /** What a statement writes no other one writes. */
  #lastValue = 0;
  #running = true;
  #done: Promise<unknown> = Promise.resolve();

  constructor(server: TestServer, database: string, seed: number) {
    this.#server = server;
    this.#database = database;
    this.#seed = seed;
  }

  async start(): Promise<void> {
    const clients = await Promise.all(Array.from({ length: WRITERS }, () => mysqlClient(this.#server, this.#database)));
    this.#done = Promise.all(clients.map((client, writer) => this.#write(client, writer)));
    this.#done.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #write(client: Connection, writer: number): Promise<void> {
    const random = randomOf(this.#seed * WRITERS + writer);
    while (this.#running) {
      try {
        const [result] = await client.query(this.#statement(random, writer));
        this.changes += (result as { affectedRows: number }).affectedRows;
      } catch (error) {
        if (!CLASHES.has((error as { code?: string }).code ?? '')) throw error;
      }
    }
    await client.end();
  }

  #statement(random: () => number, writer: number): string {
    const id = 1 + whole(random, ROWS);
    this.#lastValue += 1;
    const value = this.#lastValue;
    const fresh = ROWS + 1 + writer * 1_000_000 + value;
    const kind = random();
    if (kind < 0.45) return `UPDATE t SET v = ${value} WHERE id BETWEEN ${id} AND ${id + 15}`;
    if (kind < 0.6) return `DELETE FROM t WHERE id BETWEEN ${id} AND ${id + 2}`;
    if (kind < 0.8)
      return `INSERT INTO t VALUES (${id}, ${value}, ''), (${id + 1}, ${value}, '') ON DUPLICATE KEY UPDATE v = ${value}`;
    if (kind < 0.9) return `INSERT INTO t VALUES (${fresh}, ${value}, 'new')`;
    return `UPDATE t SET id = ${fresh}, v = ${value} WHERE id = ${id}`;
  }
}

/** Two writers met: nothing was changed. */
const CLASHES: ReadonlySet<string> = new Set(['ER_LOCK_DEADLOCK', 'ER_DUP_ENTRY', 'ER_LOCK_WAIT_TIMEOUT']);

/** A target that knows of every row it is given what must have been there before. */
class WindowReader {
  readonly findings: string[] = [];
  loaded = 0;
  readonly #rows = new Map<string, string>();
  /** Versions of rows, `id=v`, that the stream has replaced or removed. */
  readonly #gone = new Set<string>();
  #isStreaming = false;
  #error: unknown = null;
  #stop: () => Promise<void> = async () => {};

  /** Resolves at the end of the load; goes on reading. */
  async load(server: TestServer, database: string): Promise<void> {
    const source = openSource(server, database);
    const stop = new AbortController();
    const tables = [await joining(source, database, 't')];
    const read = async () => {
      const options = { after: null, tables: { version: 1, tables }, start: null, signal: stop.signal };
      for await (const { parts } of source.read(options))
        for (const part of parts) {
          if (part.kind === 'rows') this.#take(part);
          if (part.kind === 'progress') this.#isStreaming = part.progress.state === 'STREAMING';
        }
    };
    const reading = read().catch((error: unknown) => {
      this.#error = error;
    });
    this.#stop = async () => {
      stop.abort();
      await reading;
      await source.close();
    };
    await this.#until(() => this.#isStreaming, 'the load did not end');
  }

  async untilEqual(admin: Connection): Promise<void> {
    const [rows] = await admin.query({ sql: 'SELECT id, v FROM t', rowsAsArray: true });
    const wanted = new Map((rows as number[][]).map(([id, v]) => [String(id), String(v)]));
    const differences = () =>
      [...wanted].filter(([id, v]) => this.#rows.get(id) !== v).length +
      [...this.#rows.keys()].filter((id) => !wanted.has(id)).length;
    await this.#until(() => differences() === 0, '').catch(() => {});
    if (this.#error !== null) throw this.#error;
    if (differences() > 0) this.findings.push(`${differences()} rows differ in the end`);
  }

  leftToStream(rows: number): number {
    return Math.max(0, rows - this.loaded);
  }

  async stop(): Promise<void> {
    await this.#stop();
  }

  async #until(what: () => boolean, otherwise: string): Promise<void> {
    for (const deadline = Date.now() + STREAMING_MS; !what(); ) {
      if (this.#error !== null) throw this.#error;
      if (Date.now() > deadline) throw new Error(otherwise);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #take(part: RowsPart): void {
    for (let row = 0; row < part.count; row += 1) {
      const before = part.op === 'update' || part.op === 'delete' ? readRow(part, row, 'before') : null;
      const after = part.op === 'delete' ? null : readRow(part, row, 'after');
      if (part.op === 'read') this.#read(idOf(after), valueOf(after));
      else this.#change(before, after);
    }
  }

  /** A loaded row may repeat what the stream has handed on for its key, and never precede it. */
  #read(id: string, value: string): void {
    this.loaded += 1;
    const held = this.#rows.get(id);
    if (this.#gone.has(`${id}=${value}`)) this.#find(`the load gave row ${id} as it was before the stream changed it`);
    else if (held !== undefined && held !== value) this.#find(`the load gave row ${id} before the stream did`);
    this.#rows.set(id, value);
  }

  #change(before: Values | null, after: Values | null): void {
    if (before !== null) {
      const held = this.#rows.get(idOf(before));
      if (held !== undefined && held !== valueOf(before)) this.#find(`row ${idOf(before)} was held in another version`);
      this.#rows.delete(idOf(before));
      this.#gone.add(`${idOf(before)}=${valueOf(before)}`);
    }
    if (after === null) return;
    if (this.#rows.has(idOf(after))) this.#find(`row ${idOf(after)} was there before it was inserted`);
    this.#rows.set(idOf(after), valueOf(after));
  }

  #find(finding: string): void {
    if (this.findings.length < 10) this.findings.push(finding);
  }
}

function idOf(values: Values | null): string {
  return values?.['id'] ?? '';
}

function valueOf(values: Values | null): string {
  return values?.['v'] ?? '';
}
