import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import type { RowsPart } from '../../src/pipeline/batch.ts';
import type { TableId } from '../../src/pipeline/table.ts';
import { pick } from './log-grammar.ts';
import { type RandomColumn, randomColumn, whole } from './random-columns.ts';
import { fromSelect, type LoggedChange, readWithServersTool, selectExpression } from './server-texts.ts';
import { type Family, freshMysqlDatabase, mysqlClient, type TestServer } from './servers.ts';
import { Follower, joining, openSource, readRow, type Value } from './source-under-test.ts';

export interface DifferentialResult {
  readonly tables: number;
  readonly changes: number;
  /** Those that were compared, one by one, with what the server's own tool reads. */
  readonly changesInTool: number;
  /** Rows compared with SELECT, as the stream left them and as a load read them. */
  readonly rows: number;
  readonly findings: readonly string[];
}

/** The key of the row that ends a round. */
const END = -1;
const COLUMNS_MAX = 14;

/**
 * Random tables and changes on a real server: what our stream gives is compared, change by change and value by value, with
 * what the server's own tool reads from the same log; what the changes leave, and what a load reads, with SELECT.
 */
export async function differentialCampaign(options: {
  family: Family;
  server: TestServer;
  changes: number;
  perTable: number;
  seed: number;
  /** The server is the campaign's own: half of the tables have names in the log, half have not; half of MariaDB's are compressed. */
  isOwn?: boolean;
  say?: (line: string) => void;
}): Promise<DifferentialResult> {
  const { family, server, seed, isOwn = false, say = () => {} } = options;
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  const findings: string[] = [];
  let tables = 0;
  let changes = 0;
  let changesInTool = 0;
  let rows = 0;
  try {
    await client.query("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
    while (changes < options.changes && findings.length < 10) {
      tables += 1;
      const random = randomOf(Math.imul(seed, 0x9e3779b1) ^ tables);
      if (isOwn) await client.query(`SET GLOBAL binlog_row_metadata = ${random() < 0.5 ? 'FULL' : 'MINIMAL'}`);
      if (isOwn && family === 'mariadb') await client.query(`SET GLOBAL log_bin_compress = ${random() < 0.5 ? 1 : 0}`);
      if (family === 'mysql')
        await client.query(
          `SET SESSION binlog_row_value_options = '${random() < 0.5 ? 'PARTIAL_JSON' : ''}',
           binlog_transaction_compression = ${random() < 0.5 ? 'ON' : 'OFF'}`,
        );
      const round = new Round({ family, server, database, client, random, table: `t${tables}` });
      const found = await round.run(Math.min(options.perTable, options.changes - changes));
      changes += found.changes;
      changesInTool += found.changesInTool;
      rows += found.rows;
      findings.push(...found.findings.map((finding) => `table ${tables} of seed ${seed}: ${finding}`));
      if (found.findings.length > 0) say(`table ${tables}: ${round.declaration}`);
      if (tables % 20 === 0) say(`${family}: ${changes} changes`);
    }
    await client.query(`DROP DATABASE ${database}`);
  } finally {
    await client.end();
  }
  return { tables, changes, changesInTool, rows, findings };
}

interface RoundOptions {
  readonly family: Family;
  readonly server: TestServer;
  readonly database: string;
  readonly client: Connection;
  readonly random: () => number;
  readonly table: string;
}

/** One table: made, changed, read in four ways, dropped. */
class Round {
  readonly #options: RoundOptions;
  readonly #columns: readonly RandomColumn[];
  readonly #key: string;
  #nextKey = 1;

  constructor(options: RoundOptions) {
    const { random } = options;
    this.#options = options;
    // In half of the tables every value is one that the server's own tool prints.
    const family = random() < 0.5 ? options.family : null;
    const others = Array.from({ length: 1 + whole(random, COLUMNS_MAX) }, (_, index) =>
      randomColumn(random, `c${index}`, family),
    );
    const second = random() < 0.4 ? others.find(({ keyable }) => keyable) : undefined;
    this.#columns = [KEY, ...others];
    this.#key = second === undefined ? 'k' : pick(random, [`k, ${second.name}`, `${second.name}, k`]);
  }

  get declaration(): string {
    const inKey = this.#key.split(', ');
    const columns = this.#columns.map(({ name, sql }) => `${name} ${sql}${inKey.includes(name) ? ' NOT NULL' : ''}`);
    return `(${columns.join(', ')}, PRIMARY KEY (${this.#key}))`;
  }

  async run(least: number): Promise<Pick<DifferentialResult, 'changes' | 'changesInTool' | 'rows' | 'findings'>> {
    const { family, server, database, client, table } = this.#options;
    const columns = this.#columns;
    const inKey = this.#key.split(', ');
    await client.query(`CREATE TABLE ${table} ${this.declaration}`);
    await client.query('FLUSH BINARY LOGS');
    const file = await this.#logFile();
    const stream = new ChangeRecorder(columns, inKey);
    const reading = await stream.start(server, { database, table });
    for (let made = 0; made < least; ) made += await this.#change();
    await client.query(`INSERT INTO ${table} (${this.#names().join()}) VALUES (${this.#row(String(END))})`);
    await stream.until(({ after }) => after?.[0] === String(END));
    await reading.stop();

    const findings: string[] = [];
    const selected = await this.#select();
    const loaded = await this.#load();
    const inTool = columns.every((column) => column.inTool);
    if (inTool) {
      const logged = await readWithServersTool(family, server, { file, database, table, columns });
      compare(`${family}'s tool`, logged.flatMap(images), stream.changes.flatMap(images), columns, findings);
    }
    compare('SELECT, and the stream', selected, sorted([...stream.rows.values()]), columns, findings, exact);
    compare('SELECT, and a load', selected, sorted(loaded), columns, findings, exact);
    await client.query(`DROP TABLE ${table}`);
    const changes = stream.changes.length;
    return { changes, changesInTool: inTool ? changes : 0, rows: 2 * selected.length, findings };
  }

  /** One statement, or a transaction; gives how many rows it is likely to have changed. */
  async #change(): Promise<number> {
    const { random, client } = this.#options;
    const kind = random();
    if (kind < 0.1) {
      await client.query('BEGIN');
      let made = 0;
      for (let turn = 0; turn < 3; turn += 1) made += await this.#statement();
      await client.query(random() < 0.3 ? 'ROLLBACK' : 'COMMIT');
      return made;
    }
    if (kind < 0.15) {
      await client.query("XA START 'x'");
      const made = await this.#statement();
      await client.query("XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'");
      return made;
    }
    return this.#statement();
  }

  async #statement(): Promise<number> {
    const { random, client, table } = this.#options;
    const kind = random();
    const from = whole(random, this.#nextKey);
    const to = from + whole(random, 100);
    let sql: string;
    if (kind < 0.5) {
      const rows = Array.from({ length: 1 + whole(random, 250) }, () => `(${this.#row(String(this.#nextKey++))})`);
      sql = `INSERT INTO ${table} (${this.#names().join()}) VALUES ${rows.join()}`;
    } else if (kind < 0.6) {
      sql = `REPLACE INTO ${table} (${this.#names().join()}) VALUES (${this.#row(String(from))})`;
    } else if (kind < 0.85) {
      const set = this.#columns.slice(1).filter(({ generated }) => !generated && random() < 0.4);
      if (set.length === 0) return 0;
      const values = set.map((column) => `${column.name} = ${this.#changed(column)}`);
      sql = `UPDATE ${table} SET ${values.join(', ')} WHERE k BETWEEN ${from} AND ${to}`;
    } else if (kind < 0.9) {
      sql = `UPDATE ${table} SET k = k + 1000000000 WHERE k BETWEEN ${from} AND ${from + 3}`;
    } else sql = `DELETE FROM ${table} WHERE k BETWEEN ${from} AND ${from + whole(random, 30)}`;
    try {
      const [result] = await client.query(sql);
      return (result as { affectedRows: number }).affectedRows;
    } catch (error) {
      // A key was moved to one that is there: the statement changed nothing.
      if ((error as { code?: string }).code !== 'ER_DUP_ENTRY') throw error;
      return 0;
    }
  }

  #names(): string[] {
    return this.#columns.filter(({ generated }) => !generated).map(({ name }) => name);
  }

  #row(key: string): string {
    return this.#columns
      .filter(({ generated }) => !generated)
      .map((column) => (column === KEY ? key : this.#literal(column)))
      .join();
  }

  #changed(column: RandomColumn): string {
    const { random } = this.#options;
    return column.change === undefined || random() < 0.3 ? this.#literal(column) : column.change(random, column.name);
  }

  #literal(column: RandomColumn): string {
    const { random } = this.#options;
    const isNullable = !this.#key.split(', ').includes(column.name);
    return isNullable && random() < 0.15 ? 'NULL' : column.literal(random);
  }

  async #logFile(): Promise<string> {
    const { client } = this.#options;
    const [rows] = await client.query('SHOW BINARY LOGS');
    return (rows as { Log_name: string }[]).at(-1)?.Log_name ?? '';
  }

  async #select(): Promise<(readonly Value[])[]> {
    const { client, table } = this.#options;
    const [rows] = await client.query({
      sql: `SELECT ${this.#columns.map(selectExpression).join(', ')} FROM ${table}`,
      rowsAsArray: true,
      typeCast: (field) => field.string('utf8'),
    });
    return sorted(
      (rows as unknown as (string | null)[][]).map((row) =>
        row.map((text, index) => fromSelect(this.#columns[index] ?? KEY, text)),
      ),
    );
  }

  /** The rows as a load reads them, by a source of its own. */
  async #load(): Promise<Value[][]> {
    const { server, database, table } = this.#options;
    const source = openSource(server, database);
    const follower = new Follower(source);
    follower.start(1, [await joining(source, database, table)]);
    try {
      await follower.until(() => follower.state(database, table) === 'STREAMING');
      return follower.rows(database, table).map((row) => this.#columns.map(({ name }) => row[name] ?? null));
    } finally {
      await follower.stop();
    }
  }
}

const KEY: RandomColumn = {
  name: 'k',
  sql: 'INT',
  kind: 'integer',
  unsigned: false,
  encoding: 'utf-8',
  width: 0,
  labels: [],
  generated: false,
  keyable: true,
  inTool: true,
  literal: () => '0',
};

/** Every change of one table, in order, and the rows that they leave, by key. */
class ChangeRecorder {
  readonly changes: LoggedChange[] = [];
  readonly rows = new Map<string, readonly Value[]>();
  readonly #columns: readonly RandomColumn[];
  readonly #key: readonly number[];
  #failure: unknown = null;

  constructor(columns: readonly RandomColumn[], key: readonly string[]) {
    this.#columns = columns;
    this.#key = key.map((name) => columns.findIndex((column) => column.name === name));
  }

  async start(server: TestServer, { database, table }: TableId): Promise<{ stop(): Promise<void> }> {
    const source = openSource(server, database);
    const stop = new AbortController();
    const tables = [await joining(source, database, table, { load: 'none' })];
    const reading = new Promise<void>((resolve) => {
      const read = async () => {
        const options = { after: null, tables: { version: 1, tables }, start: null, signal: stop.signal };
        for await (const batch of source.read(options)) {
          resolve();
          for (const part of batch.parts) if (part.kind === 'rows') this.#take(part);
        }
      };
      read().catch((error: unknown) => {
        this.#failure = error;
        resolve();
      });
    });
    await reading;
    return {
      stop: async () => {
        stop.abort();
        await source.close();
      },
    };
  }

  async until(what: (change: LoggedChange) => boolean): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const last = this.changes.at(-1);
      if (last !== undefined && what(last)) return;
      if (Date.now() > deadline) throw new Error(`the stream stopped at change ${this.changes.length}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #take(part: RowsPart): void {
    if (part.op === 'read') throw new Error('a row was loaded');
    const image = (row: number, which: 'before' | 'after') => {
      const values = readRow(part, row, which);
      return this.#columns.map(({ name }) => values[name] ?? null);
    };
    for (let row = 0; row < part.count; row += 1) {
      const before = part.op === 'insert' ? null : image(row, 'before');
      const after = part.op === 'delete' ? null : image(row, 'after');
      this.changes.push({ op: part.op, before, after });
      if (before !== null) this.rows.delete(this.#keyOf(before));
      if (after !== null) this.rows.set(this.#keyOf(after), after);
    }
  }

  #keyOf(image: readonly Value[]): string {
    return JSON.stringify(this.#key.map((index) => image[index]));
  }
}

/** In an order that both sides have, whatever the key. */
function sorted(images: readonly (readonly Value[])[]): (readonly Value[])[] {
  return images
    .map((image) => [JSON.stringify(image), image] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, image]) => image);
}

/** The operation goes along as a value that must be equal too. */
function images({ op, before, after }: LoggedChange): (readonly Value[])[] {
  return [before, after].flatMap((image) => (image === null ? [] : [[...image, op]]));
}

type IsEqual = (theirs: Value, ours: Value, column: RandomColumn | undefined) => boolean;

const exact: IsEqual = (theirs, ours) => theirs === ours;
/** The tool prints floats with six digits. */
const asTool: IsEqual = (theirs, ours, column) => {
  if (theirs === ours) return true;
  if (column?.kind !== 'float' || theirs === null || ours === null) return false;
  const [printed, own] = [Number(theirs.slice(1)), Number(ours.slice(1))];
  return Math.abs(printed - own) <= Math.abs(own) * 5.001e-6;
};

function compare(
  where: string,
  theirs: readonly (readonly Value[])[],
  ours: readonly (readonly Value[])[],
  columns: readonly RandomColumn[],
  findings: string[],
  isEqual: IsEqual = asTool,
): void {
  if (theirs.length !== ours.length) findings.push(`${where}: ${theirs.length} images, ours ${ours.length}`);
  for (const [at, image] of theirs.entries()) {
    for (const [index, value] of image.entries()) {
      const own = ours[at]?.[index] ?? null;
      if (isEqual(value, own, columns[index])) continue;
      findings.push(
        `${where}: image ${at}, ${columns[index]?.sql ?? 'operation'}: ${JSON.stringify(value)}, ours ${JSON.stringify(own)}`,
      );
      return;
    }
  }
}
