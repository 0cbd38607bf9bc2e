import { randomInt } from 'node:crypto';
import type { Logger } from '../../lib/log.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { Failure, TableProgress } from '../../pipeline/checkpoint.ts';
import type { OpenSourceOptions } from '../../pipeline/connector.ts';
import type { DdlCounts, DdlKind, Policies } from '../../pipeline/policies.ts';
import type { Described, ReadOptions, Source, TableSet } from '../../pipeline/source.ts';
import type { TableId, TableVersion } from '../../pipeline/table.ts';
import { CapturedTable, readResume } from './captured-table.ts';
import { connectForQueries, type Questions } from './connect.ts';
import { toPipelineError } from './errors.ts';
import { LogRun } from './log-run.ts';
import { asMysqlSettings, type MysqlReaderOptions, type MysqlSettings, parseReaderOptions } from './options.ts';
import type { LogPosition } from './offset/position.ts';
import { otherServer } from './same-server.ts';
import { readSchema, type SchemaEntry } from './schema.ts';
import { readLogEnd, readServerFacts, type ServerFacts } from './server-facts.ts';
import { chunksExpected } from './load/table-loads.ts';
import type { MysqlTable } from './types.ts';

/** What was looked up of a table and is needed once it joins the stream. */
interface Looked {
  readonly table: MysqlTable;
  readonly from: LogPosition;
  readonly server: string;
  readonly rowsEstimated: number;
  readonly rowBytes: number;
}

/** Reads the binary log of one MySQL or MariaDB server. */
export class MysqlSource implements Source {
  readonly #settings: MysqlSettings;
  readonly #options: MysqlReaderOptions;
  readonly #policies: Policies;
  readonly #log: Logger;
  readonly #memoryBytes: number;
  /** The same for every connection of this source, so that the server ends a dead one when we come back. */
  readonly #serverId = randomInt(2 ** 30, 2 ** 31);
  readonly #looked = new WeakMap<TableVersion, Looked>();
  readonly #ddl: Partial<Record<DdlKind, number>> = {};
  #run: LogRun | undefined;

  constructor({ settings, options, policies, memoryBytes, log }: OpenSourceOptions) {
    this.#settings = asMysqlSettings(settings);
    this.#options = parseReaderOptions(options);
    this.#policies = policies;
    this.#log = log;
    this.#memoryBytes = memoryBytes;
  }

  async describe(
    tables: readonly { readonly id: TableId; readonly progress: TableProgress | null }[],
    signal: AbortSignal,
  ): Promise<readonly Described[]> {
    signal.throwIfAborted();
    const fresh = tables.filter(({ progress }) => progress === null).map(({ id }) => id);
    const found = fresh.length === 0 ? [] : await this.#lookUp(fresh);
    return tables.map(({ progress }): Described => {
      if (progress !== null) return { kind: 'shape', shape: readResume(progress.resume).shape.version };
      return (
        found.shift() ?? {
          kind: 'failure',
          failure: { code: 'Table.Unknown', message: 'the table was not found', remedy: null },
        }
      );
    });
  }

  async *read(options: ReadOptions): AsyncGenerator<Batch> {
    const run = new LogRun({
      settings: this.#settings,
      reader: this.#options,
      policies: this.#policies,
      log: this.#log,
      serverId: this.#serverId,
      memoryBytes: this.#memoryBytes,
      capture: (table) => this.#capture(table),
      onDdl: (kind) => {
        this.#ddl[kind] = (this.#ddl[kind] ?? 0) + 1;
      },
    });
    this.#run = run;
    const poke = () => run.poke();
    options.signal.addEventListener('abort', poke);
    try {
      yield* run.batches(options);
    } finally {
      options.signal.removeEventListener('abort', poke);
      run.close();
      this.#run = undefined;
    }
  }

  setTables(next: TableSet): void {
    this.#run?.setTables(next);
  }

  failTable(table: TableId, failure: Failure): void {
    this.#run?.failTable(table, failure);
  }

  get ddl(): DdlCounts {
    return this.#ddl;
  }

  async close(): Promise<void> {
    this.#run?.close();
  }

  #capture(table: TableSet['tables'][number]): CapturedTable {
    if (table.progress !== null) return CapturedTable.resumed(table.progress);
    const looked = this.#looked.get(table.shape);
    if (looked === undefined) throw new Error('a table joins that was not described');
    return CapturedTable.fresh({
      shape: looked.table,
      from: looked.from,
      server: looked.server,
      load: table.load,
      emptyFirst: table.emptyFirst,
      rowBytes: looked.rowBytes,
      chunksAll: table.load === 'full' ? chunksExpected(looked.rowsEstimated) : 0,
    });
  }

  async #lookUp(ids: readonly TableId[]): Promise<Described[]> {
    const connection = await connectForQueries(this.#settings);
    try {
      const facts = await readServerFacts(connection);
      const reading = this.#run?.server ?? facts.identity;
      if (reading !== facts.identity) throw otherServer(reading, facts.identity);
      const { entries, from } = await readSchemaAt(connection, facts, ids);
      return entries.map((entry): Described => {
        if (entry.kind === 'problems') {
          const [first] = entry.problems;
          return {
            kind: 'failure',
            failure: {
              code: first?.code ?? 'Table.Unreadable',
              message: entry.problems.map(({ message }) => message).join('; '),
              remedy: first?.remedy ?? null,
            },
          };
        }
        const { table, rowsEstimated, rowBytes } = entry;
        this.#looked.set(table.version, { table, from, server: facts.identity, rowsEstimated, rowBytes });
        return { kind: 'shape', shape: table.version };
      });
    } catch (error) {
      throw toPipelineError(error, 'reading the shapes of tables');
    } finally {
      connection.close();
    }
  }
}

/**
 * Shapes, and a place of the log at which they were so: they are the same before and after it was looked up. A table joins
 * the stream behind that place.
 */
async function readSchemaAt(connection: Questions, facts: ServerFacts, ids: readonly TableId[]) {
  let entries = await readSchema(connection, facts, ids);
  for (;;) {
    const from = (await readLogEnd(connection, facts)) ?? { file: '', position: 0 };
    const again = await readSchema(connection, facts, ids);
    if (JSON.stringify(shapesOf(entries)) === JSON.stringify(shapesOf(again))) return { entries: again, from };
    entries = again;
  }
}

function shapesOf(entries: readonly SchemaEntry[]): unknown[] {
  return entries.map((entry) => (entry.kind === 'table' ? entry.table : entry.problems));
}
