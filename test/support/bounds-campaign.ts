import { randomOf } from '../../bench/workload.ts';
import type { Server } from '../../scripts/servers/servers.ts';
import { PeakMemory } from './peak-memory.ts';
import { freshMysqlDatabase, freshPgDatabase, mysqlClient, pgClient, type TestServer } from './servers.ts';
import { Service } from './service.ts';
import { compareDigests, type DigestColumns, type DigestComparison } from './table-digests.ts';
import { type Ends, TaskUnderTest } from './task-under-test.ts';

/** Beside what its runs may take, the service itself: its code, the API, the store. */
export const SERVICE_MIB = 150;

export interface BoundsResult extends DigestComparison {
  readonly what: string;
  /** The most memory that the service's process held. */
  readonly peakMiB: number;
  readonly capMiB: number;
  /** From the commit at the source, or from the end of the outage, until all was at the target. */
  readonly seconds: number;
  readonly failures: readonly string[];
}

export function isWithinBounds({ peakMiB, capMiB, rows, differences, failures }: BoundsResult): boolean {
  return peakMiB <= capMiB + SERVICE_MIB && rows > 0 && differences === 0 && failures.length === 0;
}

export interface BoundsOptions {
  readonly source: TestServer;
  readonly target: TestServer;
  /** What a run may take. */
  readonly capMiB: number;
}

const STEP_ROWS = 5000;
/** Long enough for the target to compress it: the disk is to hold it several times. */
const ROW_BYTES = 4096;

/** One transaction of so many megabytes of rows of 4 KiB; `packed`: as one compressed event of the log (MySQL). */
export function largeTransaction(
  options: BoundsOptions,
  { megabytes, packed }: { readonly megabytes: number; readonly packed: boolean },
): Promise<BoundsResult> {
  return bounded(options, `a ${packed ? 'packed ' : ''}transaction of ${megabytes} MB`, async (life) => {
    const { mysql } = life.ends;
    if (packed) await mysql.query('SET SESSION binlog_transaction_compression = ON');
    await fillNumbers(life.ends, STEP_ROWS);
    await mysql.query('CREATE TABLE big (id INT PRIMARY KEY, body TEXT)');
    await life.run(['big']);
    const rows = Math.ceil((megabytes * 1e6) / ROW_BYTES);
    await mysql.query('BEGIN');
    for (let from = 0; from < rows; from += STEP_ROWS) {
      const count = Math.min(STEP_ROWS, rows - from);
      await mysql.query(
        `INSERT INTO big SELECT n + ${from}, REPEAT(SHA2(n + ${from}, 256), ${ROW_BYTES / 64}) FROM numbers WHERE n <= ${count}`,
      );
    }
    await mysql.query('COMMIT');
    return life.settled('big', { body: 'text' });
  });
}

/** One statement that changes every row of a table. */
export function largeUpdate(options: BoundsOptions, rows: number): Promise<BoundsResult> {
  return bounded(options, `an UPDATE of ${rows} rows`, async (life) => {
    const { mysql } = life.ends;
    await fillNumbers(life.ends, STEP_ROWS);
    await mysql.query('CREATE TABLE many (id INT PRIMARY KEY, n VARCHAR(20))');
    for (let from = 0; from < rows; from += STEP_ROWS) {
      await mysql.query(`INSERT INTO many SELECT n + ${from}, 'a' FROM numbers WHERE n <= ${rows - from}`);
    }
    await life.run(['many']);
    await mysql.query("UPDATE many SET n = CONCAT('b', id)");
    return life.settled('many', { n: 'text' });
  });
}

/** Rows of so many megabytes, of text, of bytes, and of text that is half as long at the source: loaded, inserted, updated, deleted. */
export function largeRows(options: BoundsOptions, megabytes: number): Promise<BoundsResult> {
  return bounded(options, `rows of ${megabytes} MB`, async (life) => {
    const { mysql } = life.ends;
    await mysql.query(
      'CREATE TABLE wide (id INT PRIMARY KEY, words LONGTEXT, bytes LONGBLOB, accents LONGTEXT CHARACTER SET latin1)',
    );
    const insert = (id: number, column: 'words' | 'bytes' | 'accents') =>
      mysql.query(
        `INSERT INTO wide (id, ${column}) VALUES (${id}, ${column === 'accents' ? `REPEAT(_latin1 x'e9', ${megabytes * 5e5})` : bodySql(megabytes, id)})`,
      );
    await insert(1, 'words');
    await insert(2, 'bytes');
    await insert(3, 'accents');
    // Rows that are small as a rule, so that nothing but the rows themselves tells how large a chunk becomes.
    await mysql.query('CREATE TABLE numbers (n INT PRIMARY KEY)');
    await mysql.query(`INSERT INTO numbers VALUES ${Array.from({ length: 500 }, (_, index) => `(${index})`).join()}`);
    await mysql.query("INSERT INTO wide (id, words) SELECT n + 1000, 'small' FROM numbers");
    await life.run(['wide']);
    await insert(11, 'words');
    await insert(12, 'bytes');
    await insert(13, 'accents');
    await mysql.query(
      `UPDATE wide SET words = CONCAT(words, 'x') WHERE id = 1; UPDATE wide SET bytes = CONCAT(bytes, 'x') WHERE id = 12`,
    );
    await mysql.query('DELETE FROM wide WHERE id IN (2, 11)');
    return life.settled('wide', { words: 'text', bytes: 'bytes', accents: 'text' });
  });
}

/** So many tables in one task: loaded, and then all of them changed, one after the other and in one transaction. */
export function manyTables(options: BoundsOptions, count: number): Promise<BoundsResult> {
  return bounded(options, `${count} tables`, async (life) => {
    const { mysql } = life.ends;
    const tables = Array.from({ length: count }, (_, index) => `t${String(index).padStart(4, '0')}`);
    for (const table of tables)
      await mysql.query(
        `CREATE TABLE ${table} (id INT PRIMARY KEY, n INT, body VARCHAR(100)); INSERT INTO ${table} VALUES (1, 1, 'one'), (2, 2, 'two')`,
      );
    await life.run(tables);
    for (const table of tables)
      await mysql.query(`INSERT INTO ${table} VALUES (3, 3, 'three'); UPDATE ${table} SET n = 4`);
    await mysql.query('BEGIN');
    for (const table of tables) await mysql.query(`UPDATE ${table} SET body = '${table}' WHERE id <> 2`);
    await mysql.query('COMMIT');
    await life.settled(null, {});
    let rows = 0;
    let differences = 0;
    for (const table of tables) {
      const compared = await compareDigests(life.ends, table, { body: 'text' });
      rows += compared.rows;
      differences += compared.differences;
    }
    return { rows, differences };
  });
}

const BUSY = 'CREATE TABLE busy (id INT PRIMARY KEY, n VARCHAR(20), body TEXT)';

/** The target is down for so long, while writers write. */
export function downTarget(
  options: BoundsOptions & { readonly target: Server; readonly seed: number },
  seconds: number,
): Promise<BoundsResult> {
  return bounded(options, `a target that is down for ${seconds} s`, async (life) => {
    await life.ends.mysql.query(BUSY);
    await life.run(['busy']);
    await options.target.kill();
    await writeFor(life.ends, seconds * 1000, options.seed);
    await options.target.restart();
    await life.reconnect();
    return life.settled('busy', { n: 'text', body: 'text' });
  });
}

/** A table at the target is locked for so long, while writers write: the sink has its connection, and no answer. */
export function lockedTarget(
  options: BoundsOptions & { readonly seed: number },
  seconds: number,
): Promise<BoundsResult> {
  return bounded(options, `a target that is locked for ${seconds} s`, async (life) => {
    const { pg, database } = life.ends;
    await life.ends.mysql.query(BUSY);
    await life.run(['busy']);
    await pg.query(`BEGIN; LOCK TABLE "${database}".busy IN ACCESS EXCLUSIVE MODE`);
    await writeFor(life.ends, seconds * 1000, options.seed);
    await pg.query('COMMIT');
    return life.settled('busy', { n: 'text', body: 'text' });
  });
}

/** Between two transactions: a megabyte or so a second. */
const PAUSE_MS = 200;

/** Transactions of 1 to 100 rows of up to 10 kB. */
async function writeFor({ mysql }: Ends, ms: number, seed: number): Promise<void> {
  const random = randomOf(seed);
  const until = performance.now() + ms;
  for (let id = 0; performance.now() < until; ) {
    const rows = Array.from({ length: 1 + Math.floor(random() * 100) }, () => {
      id += 1;
      return `(${id}, 'n', REPEAT('${Math.floor(random() * 1e9)}', ${Math.floor(random() * 1000)}))`;
    });
    await mysql.query(`INSERT INTO busy VALUES ${rows.join()}`);
    await mysql.query(`UPDATE busy SET n = 'changed' WHERE id > ${id - 50} AND id % 3 = 0`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Several hundred letters that differ from row to row, over and over. */
function bodySql(megabytes: number, id: number): string {
  return `REPEAT(SHA2(${id}, 256), ${Math.floor((megabytes * 1e6) / 64)})`;
}

async function fillNumbers({ mysql }: Ends, count: number): Promise<void> {
  await mysql.query('CREATE TABLE numbers (n INT PRIMARY KEY)');
  for (let from = 1; from <= count; from += 5000) {
    const rows = Array.from({ length: Math.min(5000, count - from + 1) }, (_, index) => `(${from + index})`);
    await mysql.query(`INSERT INTO numbers VALUES ${rows.join()}`);
  }
}

/** A service of its own with one task, watched from its start to its end. */
interface Life {
  readonly ends: Ends;
  /** Starts the task; returns once these tables stream. */
  run(tables: readonly string[]): Promise<void>;
  /** Connects to a target that was started again. */
  reconnect(): Promise<void>;
  /** All that was written before this call is at the target; compares a table, if one is named. */
  settled(table: string | null, columns: DigestColumns): Promise<DigestComparison>;
}

async function bounded(
  { source, target, capMiB }: BoundsOptions,
  what: string,
  work: (life: Life) => Promise<DigestComparison>,
): Promise<BoundsResult> {
  const database = await freshMysqlDatabase(source);
  const targetDatabase = await freshPgDatabase(target);
  const mysql = await mysqlClient(source, database);
  const service = await Service.start({ memoryMb: capMiB });
  let pg = await pgClient(target, targetDatabase);
  const ends = { source, target, database, targetDatabase, mysql, pg, close: async () => {} };
  const task = new TaskUnderTest(service, ends);
  const peak = new PeakMemory(service.pid);
  let begun = 0;
  let seconds = 0;
  try {
    const compared = await work({
      get ends() {
        return { ...ends, pg };
      },
      run: async (tables) => {
        await mysql.query('CREATE TABLE mark (id INT PRIMARY KEY)');
        await task.run({ table: ['mark', ...tables] });
        await untilStreaming(task, tables.length + 1);
        begun = performance.now();
      },
      reconnect: async () => {
        pg = await pgClient(target, targetDatabase);
      },
      settled: async (table, columns) => {
        begun = performance.now();
        await mysql.query('INSERT INTO mark VALUES (1)');
        await untilThere(task, async () => {
          const { rowCount } = await pg.query(`SELECT 1 FROM "${database}".mark WHERE id = 1`);
          return rowCount === 1;
        });
        seconds = Math.round((performance.now() - begun) / 100) / 10;
        return table === null ? { rows: 0, differences: 0 } : compareDigests({ mysql, pg, database }, table, columns);
      },
    });
    const { extend, Message } = await task.info();
    const failures = extend.tables.flatMap(({ code }) => (code === null ? [] : [code]));
    return {
      what,
      ...compared,
      peakMiB: peak.mib,
      capMiB,
      seconds,
      failures: [...failures, ...(Message === null ? [] : [Message])],
    };
  } finally {
    await service.dispose();
    await mysql.query(`DROP DATABASE ${database}`);
    await mysql.end();
    await pg.end();
  }
}

/** How long nothing may become better. */
const PATIENCE_MS = 120_000;

async function untilStreaming(task: TaskUnderTest, tables: number): Promise<void> {
  await untilThere(task, async () => {
    const { extend } = await task.info();
    return extend.tables.filter(({ state }) => state === 'STREAMING').length === tables;
  });
}

/** Errors: Error when the task stops, a table fails, or nothing of it has moved for two minutes. */
async function untilThere(task: TaskUnderTest, isThere: () => Promise<boolean>): Promise<void> {
  let last = '';
  let lastMoved = performance.now();
  while (!(await isThere())) {
    const info = await task.info();
    const now = JSON.stringify(info);
    if (now !== last) lastMoved = performance.now();
    last = now;
    const hasFailed = info.extend.tables.some(({ state }) => state === 'FAILED');
    if (hasFailed || !['RUN', 'WAIT'].includes(info.Status) || performance.now() - lastMoved > PATIENCE_MS)
      throw new Error(`the task does not go on: ${now.slice(0, 2000)}\n${task.service.errors.slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
