/*
 * Connectors that tests script: of the types that the API knows, over a database in memory. As a module of connectors
 * (`sources`, `sinks`) a worker opens it too; there, everything comes from the settings, and what the sink holds is a file.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { MemoryServer } from '../../src/connectors/memory/memory-server.ts';
import { MemorySink, MemoryTarget } from '../../src/connectors/memory/sink.ts';
import { MemorySource } from '../../src/connectors/memory/source.ts';
import { isJsonObject, parseJson, stringifyJson } from '../../src/lib/json.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import type { Checkpoint } from '../../src/pipeline/checkpoint.ts';
import {
  type DescribeOptions,
  type PlanTargetsOptions,
  SettingsError,
  type SinkConnector,
  type SinkPlan,
  type SourceConnector,
  type SourceDescription,
} from '../../src/pipeline/connector.ts';
import { passed, type Stage } from '../../src/pipeline/stages.ts';
import type { CommitResult } from '../../src/pipeline/sink.ts';
import { type TableId, tableKey, type TableVersion } from '../../src/pipeline/table.ts';

/** `name: [type at the source, type at the target]`; the first column is the key. */
export type ScriptedColumns = Readonly<Record<string, readonly [string, string]>>;

/** What the servers would say; a test changes it as it goes. */
export class Script {
  readonly tables = new Map<string, ScriptedColumns>();
  /** Called first whenever the source is asked; may throw or never end. */
  onDescribe: (options: DescribeOptions) => Promise<void> = async () => {};
  /** Called first whenever the source is asked for its tables; may throw or never end. */
  onList: () => Promise<void> = async () => {};
  /** Called first whenever the sink is asked; may throw or never end. */
  onPlan: (options: PlanTargetsOptions) => Promise<void> = async () => {};
  /** Called first whenever a server is looked at; may throw or never end. */
  onProbe: (signal: AbortSignal) => Promise<void> = async () => {};
  /** What a probe finds after the name. */
  stages: readonly Stage[] = [passed('TCP', 'h:1 accepts connections')];
  /** Rows that a target holds already, by `schema.table`. */
  readonly targetRows = new Map<string, number>();
  readonly forgotten: string[] = [];
  descriptions = 0;
  /** Whether the source takes names that differ in case only for one. */
  ignoresCase = false;

  table(database: string, table: string, columns: ScriptedColumns = { id: ['bigint', 'bigint'] }): this {
    this.tables.set(tableKey({ database, table }), columns);
    return this;
  }
}

export function scriptedConnectors(script: Script): {
  readonly sources: ReadonlyMap<string, SourceConnector>;
  readonly sinks: ReadonlyMap<string, SinkConnector>;
} {
  return { sources: new Map([['mysql', sourceConnector(script)]]), sinks: new Map([['holo', sinkConnector(script)]]) };
}

function sourceConnector(script: Script): SourceConnector {
  return {
    type: 'mysql',
    parseSettings: (content) => settingsOf(content, 'jdbcUrl'),
    ...server(script),
    parseOptions: (parameter) => parameter,
    defaultDatabase: (settings) => textOf(settings, 'database'),
    describe: async (options) => {
      script.descriptions += 1;
      await script.onDescribe(options);
      return describe(script, options.tables);
    },
    examine: async ({ databases }) => ({ server: 'Scripted 1.0', account: "'test'", databases, findings: [] }),
    listTables: async () => {
      await script.onList();
      const ids = [...script.tables.keys()].map((key) => key.split('\0'));
      return {
        tables: ids.map(([database = '', table = '']) => ({ database, table })),
        ignoresCase: script.ignoresCase,
      };
    },
    open: ({ settings }) => new MemorySource(serverOf(settings)),
  };
}

function server(script: Script): Pick<SourceConnector, 'readCatalogue' | 'probeStages' | 'probe'> {
  return {
    readCatalogue: async ({ offset, limit, signal }) => {
      await script.onProbe(signal);
      const tables = [...script.tables].map(([key, columns]) => {
        const [database = '', table = ''] = key.split('\0');
        const types = Object.entries(columns).map(([name, [type]]) => ({ name, type }));
        return { database, schema: '', table, columns: types };
      });
      const schemas = [...new Set(tables.map(({ database }) => database))].map((database) => ({
        database,
        schema: '',
      }));
      return { schemas, tables: tables.slice(offset, offset + limit), total: tables.length };
    },
    probeStages: ['name resolution', 'TCP', 'TLS', 'login', 'grants'],
    probe: async function* ({ signal }) {
      yield passed('name resolution', 'h is 10.0.0.1');
      await script.onProbe(signal);
      yield* script.stages;
    },
  };
}

function describe(script: Script, tables: readonly TableId[]): SourceDescription {
  const known = tables.flatMap((id) => {
    const columns = script.tables.get(tableKey(id));
    return columns === undefined ? [] : [{ table: versionOf(id, columns), rowsEstimated: 100, warnings: [] }];
  });
  const problems = tables
    .filter((id) => !script.tables.has(tableKey(id)))
    .map((table) => ({
      code: 'Table.Unknown',
      message: `there is no table \`${table.database}\`.\`${table.table}\``,
      remedy: 'Check the spelling.',
      table,
    }));
  return { server: 'Scripted 1.0', tables: known, problems, warnings: [] };
}

function versionOf(id: TableId, columns: ScriptedColumns): TableVersion {
  return {
    id,
    columns: Object.entries(columns).map(([name, [sourceType]]) => ({
      name,
      type: { kind: 'integer', bytes: 8, unsigned: false },
      nullable: false,
      sourceType,
      comment: '',
      generated: false,
    })),
    key: [0],
  };
}

function sinkConnector(script: Script): SinkConnector {
  const schemaOf = (options: Json, database: string) =>
    (textOf(options, 'schema') ?? '${srcDatabaseName}').replaceAll('${srcDatabaseName}', database);
  return {
    type: 'holo',
    parseSettings: (content) => settingsOf(content, 'endpoint'),
    ...server(script),
    parseOptions: (parameter) => {
      const schema = isJsonObject(parameter) ? parameter['schema'] : undefined;
      if (schema !== undefined && typeof schema !== 'string')
        throw new SettingsError('schema', 'schema must be a text');
      return isJsonObject(parameter) ? parameter : {};
    },
    takesTablesWithoutKey: () => false,
    planTargets: async (options) => {
      await script.onPlan(options);
      return planTargets(script, options, schemaOf);
    },
    open: ({ settings }) => openSink(settings),
    forget: async ({ task }) => {
      script.forgotten.push(task);
    },
  };
}

function planTargets(
  script: Script,
  { tables, named = [], options }: PlanTargetsOptions,
  schemaOf: (options: Json, database: string) => string,
): SinkPlan {
  return {
    server: 'Scripted sink 1.0',
    guarantee: 'exact',
    sharesTargets: false,
    problems: [],
    warnings: [],
    tables: tables.map(({ id, columns }, index) => {
      const target = { schema: schemaOf(options, id.database), table: id.table, ...named[index] };
      const types = script.tables.get(tableKey(id)) ?? {};
      const rows = script.targetRows.get(`${target.schema}.${target.table}`) ?? 0;
      return {
        target,
        columns: columns.map(({ name }) => ({ name, type: types[name]?.[1] ?? 'text', nullable: false })),
        key: [columns[0]?.name ?? ''],
        createSql: `CREATE TABLE ${target.schema}.${target.table}`,
        exists: rows > 0,
        rows,
        warnings: [],
        ifForeign: rows > 0 ? `the target has ${rows} rows that this task did not write` : null,
        problems: [],
        lacking: [],
      };
    }),
  };
}

function settingsOf(content: Json, required: string): Json {
  if (!isJsonObject(content) || typeof content[required] !== 'string')
    throw new SettingsError(required, `${required} is missing`);
  return content;
}

function textOf(settings: Json, key: string): string | null {
  const value = isJsonObject(settings) ? settings[key] : undefined;
  return typeof value === 'string' ? value : null;
}

/** A database in memory with `rows` rows in each of `tables`: the same log again in every worker. */
function serverOf(settings: Json): MemoryServer {
  const { rows, tables } = settings as { rows: number; tables: string[] };
  const server = new MemoryServer();
  const ids = tables.map((table) => ({ database: 'shop', table }));
  for (const table of ids) {
    server.createTable(table);
    server.commit(Array.from({ length: rows }, (_, id) => ({ table, id, value: id })));
  }
  return server;
}

/**
 * A sink whose target is the file `file`. A file beside it tells the worker what to suffer at its next commit: `crash` ends
 * the thread, `hang` never answers, `throw` is a defect; the file is renamed first, so that it happens once.
 */
function openSink(settings: Json): MemorySink {
  const { file } = settings as { file: string };
  const target = readTarget(file);
  return new FileSink(target, file);
}

class FileSink extends MemorySink {
  readonly #file: string;
  readonly #target: MemoryTarget;

  constructor(target: MemoryTarget, file: string) {
    super(target, { holdsCheckpoint: true });
    this.#target = target;
    this.#file = file;
  }

  override async commit(checkpoint: Checkpoint): Promise<CommitResult> {
    for (const fate of ['crash', 'hang', 'throw'] as const) {
      const mark = `${this.#file}.${fate}`;
      if (!existsSync(mark)) continue;
      renameSync(mark, `${mark}ed`);
      if (fate === 'crash') process.exit(7); // of a worker: its thread
      if (fate === 'hang') await new Promise(() => {});
      throw new TypeError('a defect, scripted');
    }
    const result = await super.commit(checkpoint);
    writeTarget(this.#file, this.#target);
    return result;
  }
}

interface TargetFile {
  readonly checkpoint: Checkpoint | null;
  readonly tables: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

/** What a file target holds now. */
export function readTargetFile(file: string): TargetFile {
  if (!existsSync(file)) return { checkpoint: null, tables: {} };
  return parseJson(readFileSync(file, 'utf8')) as unknown as TargetFile;
}

function readTarget(file: string): MemoryTarget {
  const { checkpoint, tables } = readTargetFile(file);
  const target = new MemoryTarget();
  target.checkpoint = checkpoint;
  for (const [key, rows] of Object.entries(tables)) target.tables.set(key, new Map(rows));
  return target;
}

function writeTarget(file: string, { checkpoint, tables }: MemoryTarget): void {
  const json = {
    checkpoint: checkpoint as unknown as Json,
    tables: Object.fromEntries([...tables].map(([key, rows]) => [key, [...rows].map((row) => [...row])])),
  } satisfies JsonObject;
  writeFileSync(`${file}.new`, stringifyJson(json));
  renameSync(`${file}.new`, file);
}

const forWorkers = scriptedConnectors(new Script());
export const { sources, sinks } = forWorkers;
