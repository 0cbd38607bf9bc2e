import type { SinkTable } from '../../pipeline/route.ts';
import { describeTable, tableKey, type TableId, type TableVersion } from '../../pipeline/table.ts';
import type { TableTopic } from './encode/table-topic.ts';

/** A table, and where it goes. */
export interface TableRoute {
  readonly topic: string;
  /** False: its rows are left out. */
  isReady: boolean;
  /** By table version: indexes of its columns change with it. */
  readonly versions: WeakMap<TableVersion, TableTopic>;
}

/** Which topic each table of a sink goes to, and which of them are written. */
export class TableRoutes {
  readonly #routes = new Map<string, TableRoute>();
  /** Tables that the source says have failed: nothing is told of them. */
  readonly #failed = new Set<string>();
  /** Tables that were dropped, and not opened since: what they wrote is void. */
  readonly #dropped = new Set<string>();

  /** Forgets all: those that go on are opened anew. */
  clear(): void {
    this.#routes.clear();
    this.#failed.clear();
    this.#dropped.clear();
  }

  /** Of the topics of `tables`, which are about to be opened, those that no table writes to but such as begin anew. */
  voidTopics(tables: readonly SinkTable[]): readonly string[] {
    const going = new Set(this.topics());
    for (const { table, target } of tables) if (!this.#dropped.has(tableKey(table.id))) going.add(target.table);
    return tables.map(({ target }) => target.table).filter((topic) => !going.has(topic));
  }

  open(table: TableId, topic: string, isReady: boolean): void {
    this.#routes.set(tableKey(table), { topic, isReady, versions: new WeakMap() });
    this.#dropped.delete(tableKey(table));
  }

  of(table: TableId): TableRoute {
    const route = this.#routes.get(tableKey(table));
    if (route === undefined) throw new Error(`${describeTable(table)} was never prepared`);
    return route;
  }

  /** What it wrote is void, and its rows are left out from here on. False when it was never opened. */
  drop(table: TableId): boolean {
    this.#dropped.add(tableKey(table));
    return this.close(table) !== null;
  }

  /** Its rows are left out from here on; what it wrote stays. Gives its topic; null when it was never opened. */
  close(table: TableId): string | null {
    const route = this.#routes.get(tableKey(table));
    if (route === undefined) return null;
    route.isReady = false;
    return route.topic;
  }

  /** The source says whether a table has failed. */
  setFailed(table: TableId, hasFailed: boolean): void {
    if (hasFailed) this.#failed.add(tableKey(table));
    else this.#failed.delete(tableKey(table));
  }

  /** The topics that are written. */
  topics(): ReadonlySet<string> {
    return this.#topicsOf(() => true);
  }

  /** Those of tables that have not failed. */
  flowingTopics(): ReadonlySet<string> {
    return this.#topicsOf((key) => !this.#failed.has(key));
  }

  #topicsOf(isWanted: (key: string) => boolean): ReadonlySet<string> {
    return new Set([...this.#routes].flatMap(([key, { topic, isReady }]) => (isReady && isWanted(key) ? [topic] : [])));
  }
}
