import type { SQLInputValue } from 'node:sqlite';
import { stringifyJson } from '../lib/json.ts';
import type { ProjectId } from '../tasks/ids.ts';
import type { Page } from '../tasks/page.ts';
import type { TaskFilter } from '../tasks/task-store.ts';
import type { Database, SqlRow } from './database.ts';

/** Rows of tasks of one project, newest first: a page of those that the filter leaves, and how many it leaves. */
export function listTaskRows(
  database: Database,
  project: ProjectId,
  filter: TaskFilter,
  { pageNumber, pageSize }: Page,
): { rows: readonly SqlRow[]; total: number } {
  const wheres = ['project = ? AND deleted_at IS NULL'];
  const values: SQLInputValue[] = [project];
  for (const [name, where] of Object.entries(WHERE)) {
    const value = filter[name as keyof TaskFilter] ?? null;
    if (value === null) continue;
    wheres.push(where);
    values.push(Array.isArray(value) ? stringifyJson([...value]) : (value as SQLInputValue));
  }
  const from = `FROM task WHERE ${wheres.join(' AND ')}`;
  const total = Number(database.get(`SELECT count(*) AS n ${from}`, ...values)?.['n'] ?? 0);
  const offset = (pageNumber - 1) * pageSize;
  const rows = database.all(`SELECT * ${from} ORDER BY id DESC LIMIT ? OFFSET ?`, ...values, pageSize, offset);
  return { rows, total };
}

/** Each with one placeholder; lists come as JSON. */
const WHERE: Readonly<Record<keyof TaskFilter, string>> = {
  types: 'type IN (SELECT value FROM json_each(?))',
  folder: "instr(folder || '/', ? || '/') = 1",
  keyword: 'instr(lower(name), lower(?)) > 0',
  name: 'name = ?',
  ids: 'id IN (SELECT value FROM json_each(?))',
  node: 'id = ? AND deployed IS NOT NULL',
  creator: 'creator = ?',
  editor: 'editor = ?',
  sourceName: 'source_name = ?',
  sinkName: 'sink_name = ?',
  route: 'route = ?',
};
