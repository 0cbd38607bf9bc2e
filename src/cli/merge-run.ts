import { VERSION_2020 } from '../api/operation.ts';
import { isJsonObject, parseJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { TaskRecord } from '../tasks/task-store.ts';
import { runCall } from './call.ts';
import { describeTable } from './merge-task.ts';

/** Where the service is, and who asks. */
export interface ServiceAccess {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
}

/** What the service says of a run. */
export interface RunSeen {
  /** RUN, PAUSE, … */
  readonly status: string;
  readonly message: string | null;
  /** All changes before this time are in the target, milliseconds since the epoch; null while it is not known. */
  readonly watermarkAt: number | null;
  /** By `database.table`. */
  readonly states: ReadonlyMap<string, string>;
}

/** Asks GetDISyncInstanceInfo. Errors: Error that says why there is no answer. */
export async function askRun({ record }: { readonly record: TaskRecord }, access: ServiceAccess): Promise<RunSeen> {
  const { exit, stdout, stderr } = await runCall(
    'GetDISyncInstanceInfo',
    [`ProjectId=${record.project}`, `TaskType=${record.type}`, `FileId=${record.id}`],
    { ...access, apiVersion: VERSION_2020, check: false },
  );
  if (exit !== 0)
    throw new Error(
      `the service at ${access.endpoint} does not say how far the run has come: ${stderr || stdout}`.trim(),
    );
  const data = fieldsOf(fieldsOf(parseJson(stdout))['Data'] ?? null);
  const extend = fieldsOf(parseJson(String((data['Extend'] as string | undefined) ?? '{}')));
  const { watermarkAt, tables } = extend;
  const states = (Array.isArray(tables) ? tables : []).map((each) => {
    const { database, table, state } = fieldsOf(each);
    return [describeTable({ database: textOf(database), table: textOf(table) }), textOf(state)] as const;
  });
  const { SolutionInfo: solution = null } = data;
  return {
    // A solution says it in its own way.
    status: textOf(solution === null ? data['Status'] : fieldsOf(solution)['Status']).toUpperCase(),
    message: typeof data['Message'] === 'string' ? data['Message'] : null,
    watermarkAt: typeof watermarkAt === 'number' ? watermarkAt : null,
    states: new Map(states),
  };
}

function fieldsOf(json: Json): Readonly<Record<string, Json | undefined>> {
  return isJsonObject(json) ? json : {};
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
