import type { Catalog, TablePlace } from '../catalog.ts';
import { checkPartition } from '../partitions.ts';
import { Refusal } from '../refusal.ts';
import type { DoubleTable } from '../tables.ts';
import type { TableName } from './cursor.ts';
import { SqlFailure } from './sql-failure.ts';

/** A statement that was read; running it gives the text of its result. Errors: SqlFailure. */
export type Statement = (session: SqlSession) => string;

/** What a statement runs in: the project that it was sent to, and its settings. */
export class SqlSession {
  readonly #catalog: Catalog;
  readonly #project: string;
  readonly #settings: Readonly<Record<string, string>>;

  constructor(catalog: Catalog, project: string, settings: Readonly<Record<string, string>>) {
    this.#catalog = catalog;
    this.#project = project;
    this.#settings = settings;
  }

  isSet(setting: string): boolean {
    return this.#settings[setting]?.toLowerCase() === 'true';
  }

  find(name: TableName): DoubleTable | null {
    return this.#catalog.find(this.#place(name));
  }

  /** Errors: SqlFailure ODPS-0130131. */
  table(name: TableName): DoubleTable {
    return this.find(name) ?? fail(`Table not found - table ${name.join('.')} cannot be resolved`);
  }

  /** Errors: SqlFailure if the schema is not there. */
  create(name: TableName, table: DoubleTable): void {
    const place = this.#place(name);
    if (!this.#catalog.hasSchema(place.project, place.schema)) fail(`Schema not found - ${place.schema}`);
    this.#catalog.add(place, table);
  }

  drop(name: TableName): void {
    this.#catalog.drop(this.#place(name));
  }

  createSchema(names: TableName, ifNotExists: boolean): string {
    if (names.length > 2) throw SqlFailure.parse('a schema has two names at most');
    const [schema = '', project = this.#project] = names.toReversed();
    if (this.#catalog.hasSchema(project, schema) && !ifNotExists)
      throw new SqlFailure('ODPS-0110061', `Failed to run ddltask - schema ${schema} already exists`);
    this.#catalog.addSchema(project, schema);
    return '';
  }

  /** The partition of the table that every level was given of. Errors: SqlFailure, also if there is none, unless `isNew`. */
  partition(table: DoubleTable, values: ReadonlyMap<string, string>, isNew = false): string {
    if ([...values.keys()].join() !== table.partitionColumns.join())
      throw SqlFailure.semantic(`the partitions of ${table.name} are by ${table.partitionColumns.join()}`);
    const partition = [...values].map(([level, value]) => `${level}=${value}`).join();
    try {
      if (isNew) checkPartition(table, partition);
    } catch (error) {
      if (error instanceof Refusal) throw new SqlFailure('ODPS-0123031', error.message);
      throw error;
    }
    if (!isNew && !table.partitions.has(partition))
      throw SqlFailure.semantic(`partition not found - ${partition} of ${table.name}`);
    return partition;
  }

  /** Two names are project and table, or schema and table where the settings want schemas. */
  #place(name: TableName): TablePlace {
    const hasSchemas = this.isSet('odps.namespace.schema') && this.isSet('odps.sql.allow.namespace.schema');
    const [table = '', second, third] = name.toReversed();
    if (third !== undefined && !hasSchemas) throw SqlFailure.parse('three names need odps.namespace.schema');
    if (!hasSchemas) return { project: second ?? this.#project, schema: null, table };
    const schema = second ?? this.#settings['odps.default.schema'] ?? null;
    return { project: third ?? this.#project, schema, table };
  }
}

function fail(what: string): never {
  throw new SqlFailure('ODPS-0130131', `[1,1] ${what}`);
}
