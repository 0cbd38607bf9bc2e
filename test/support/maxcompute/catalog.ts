import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';

/** Where a table is: `schema` null is the schema `default`, and a project without schemas. */
export interface TablePlace {
  readonly project: string;
  readonly schema: string | null;
  readonly table: string;
}

/** The projects of the double, their schemas and tables. Names do not differ by case. */
export class Catalog {
  readonly #projects = new Set<string>();
  readonly #schemas = new Set<string>();
  readonly #tables = new Map<string, DoubleTable>();

  addProject(project: string): void {
    this.#projects.add(project.toLowerCase());
  }

  hasProject(project: string): boolean {
    return this.#projects.has(project.toLowerCase());
  }

  addSchema(project: string, schema: string): void {
    this.addProject(project);
    this.#schemas.add(pathOf({ project, schema, table: '' }));
  }

  hasSchema(project: string, schema: string | null): boolean {
    return isDefault(schema) ? this.hasProject(project) : this.#schemas.has(pathOf({ project, schema, table: '' }));
  }

  add(place: TablePlace, table: DoubleTable): void {
    if (isDefault(place.schema)) this.addProject(place.project);
    else this.addSchema(place.project, place.schema ?? '');
    this.#tables.set(pathOf(place), table);
  }

  find(place: TablePlace): DoubleTable | null {
    return this.#tables.get(pathOf(place)) ?? null;
  }

  /** Errors: Refusal 404 without such a table. */
  table(place: TablePlace): DoubleTable {
    return this.find(place) ?? missing(place);
  }

  drop(place: TablePlace): void {
    this.#tables.delete(pathOf(place));
  }

  /** All there are, by their paths. */
  get all(): ReadonlyMap<string, DoubleTable> {
    return this.#tables;
  }

  /** Those of one schema, by name. */
  tables(project: string, schema: string | null): DoubleTable[] {
    const prefix = pathOf({ project, schema, table: '' });
    const found = [...this.#tables].filter(([path]) => path.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, table]) => table);
  }
}

/** The place that a path of the tunnel names: `projects/p/tables/t` or `projects/p/schemas/s/tables/t`. */
export function placeOf(path: string): TablePlace {
  const [, project = '', schema = null, table = ''] =
    /^projects\/([^/]+)(?:\/schemas\/([^/]+))?\/tables\/([^/]+)$/.exec(path) ?? [];
  return { project, schema, table };
}

function pathOf({ project, schema, table }: TablePlace): string {
  return `projects/${project}${isDefault(schema) ? '' : `/schemas/${schema}`}/tables/${table}`.toLowerCase();
}

function isDefault(schema: string | null): boolean {
  return schema === null || schema.toLowerCase() === 'default';
}

function missing({ project, table }: TablePlace): never {
  throw new Refusal(404, 'NoSuchTable', `there is no table ${table} in ${project}`);
}
