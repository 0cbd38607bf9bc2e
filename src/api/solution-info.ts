import { stringifyJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { SolutionRun, SolutionStep } from '../tasks/task-service.ts';

const STEP_NAMES: Readonly<Record<SolutionStep['kind'], string>> = {
  structure: 'Create tables',
  load: 'Full load',
  stream: 'Real-time synchronization',
};
const NAME_COLUMN = { dataIndex: 'fileName', title: 'Name' };
const ROWS_COLUMN = { dataIndex: 'rows', title: 'Rows', width: 0.2 };
const STATUS_COLUMN = { dataIndex: 'status', title: 'Status', width: 0.2 };

/** SolutionInfo of GetDISyncInstanceInfo: how a solution stands, step by step. */
export function describeSolution({ id, creator, status, steps }: SolutionRun): JsonObject {
  return {
    Id: id,
    CreatorName: creator,
    Status: status,
    StepDetail: steps.map(({ kind, status: stepStatus, tables }, index) => ({
      StepId: index + 1,
      StepName: STEP_NAMES[kind],
      Status: stepStatus,
      Info: stringifyJson(describeTables(tables)),
    })),
  };
}

/** A table for a page, as the console's widget takes it. */
function describeTables(tables: SolutionStep['tables']): JsonObject {
  const countsRows = tables.some(({ rows }) => rows !== null);
  return {
    componentName: 'Table',
    fusionProps: {
      dataSource: tables.map(({ name, status, rows }) => ({
        fileName: name,
        ...(rows === null ? {} : { rows }),
        status: status.toUpperCase(),
      })),
    },
    customProps: {
      showSN: true,
      columns: countsRows
        ? [{ ...NAME_COLUMN, width: 0.6 }, ROWS_COLUMN, STATUS_COLUMN]
        : [{ ...NAME_COLUMN, width: 0.8 }, STATUS_COLUMN],
    },
  };
}
