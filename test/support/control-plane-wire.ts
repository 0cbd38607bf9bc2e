import { operations } from '../../src/api/catalogue.ts';
import { ApiError, noPrivilege } from '../../src/api/errors.ts';
import type { Grant } from '../../src/api/grant.ts';
import type { Operation, Services } from '../../src/api/operation.ts';
import type { ProjectId } from '../../src/tasks/ids.ts';
import type { Answer, Call, Side } from './control-plane-model.ts';

type Made = Exclude<Call, { kind: 'run fails' }>;
type ProjectOf = (side: Side) => ProjectId;

/** Makes a call as the gateway does once it knows who calls. Errors: those of the service that are no answers. */
export async function callOperation(call: Made, project: ProjectOf, services: Services): Promise<Answer> {
  const { action, parameters } = wire(call, project);
  const given = Object.entries(parameters).flatMap(([name, text]) => (text === null ? [] : [[name, text] as const]));
  try {
    const { Data } = await operationOf(action).run({
      parameters: new Map(given),
      grant: grantOf(call.caller, project(call.caller)),
      services,
    });
    const data = Data as Readonly<Record<string, unknown>>;
    return data['Status'] === 'fail' ? { kind: 'fail', message: String(data['Message']) } : { kind: 'done', data };
  } catch (error) {
    if (error instanceof ApiError) return { kind: 'refused', code: error.code, message: error.message };
    throw error;
  }
}

function wire(
  call: Made,
  project: ProjectOf,
): {
  readonly action: string;
  readonly parameters: Readonly<Record<string, string | null>>;
} {
  const common = { ProjectId: String(project(call.project)), TaskType: call.taskType };
  switch (call.kind) {
    case 'generate': {
      const taskParam = { TaskParam: taskParamOf(call), ClientToken: call.token };
      return call.task === null
        ? { action: 'GenerateDISyncTaskConfigForCreating', parameters: { ...common, ...taskParam } }
        : {
            action: 'GenerateDISyncTaskConfigForUpdating',
            parameters: { ...common, ...taskParam, TaskId: String(call.task) },
          };
    }
    case 'query':
      return {
        action: 'QueryDISyncTaskConfigProcessResult',
        parameters: { ...common, AsyncProcessId: String(call.process) },
      };
    case 'create':
      return {
        action: 'CreateDISyncTask',
        parameters: { ...common, TaskName: call.name, TaskContent: call.content, ClientToken: call.token },
      };
    case 'update':
      return {
        action: 'UpdateDISyncTask',
        parameters: { ...common, FileId: String(call.task), TaskContent: call.content },
      };
    case 'start':
      return {
        action: 'StartDISyncInstance',
        parameters: { ...common, FileId: String(call.task), StartParam: call.startParam },
      };
    case 'get':
    case 'info':
    case 'deploy':
    case 'stop':
    case 'terminate':
    case 'delete':
      return { action: ACTIONS[call.kind], parameters: { ...common, FileId: String(call.task) } };
  }
}

const ACTIONS = {
  get: 'GetDISyncTask',
  info: 'GetDISyncInstanceInfo',
  deploy: 'DeployDISyncTask',
  stop: 'StopDISyncInstance',
  terminate: 'TerminateDISyncInstance',
  delete: 'DeleteDISyncTask',
} as const;

function operationOf(action: string): Operation {
  const operation = operations.find(({ name }) => name === action);
  if (operation === undefined) throw new Error(`no operation ${action}`);
  return operation;
}

function grantOf(side: Side, project: ProjectId): Grant {
  return {
    user: side,
    enter: async (named) => {
      if (named !== project) throw noPrivilege();
      return { project, user: side };
    },
    projects: async () => [project],
    reach: () => ({ user: side, projects: [project] }),
  };
}

function taskParamOf({ task, tables, name }: { task: bigint | null; tables: readonly string[]; name: string | null }) {
  const reader = {
    stepType: 'mysql',
    category: 'reader',
    parameter: { connection: [{ datasource: 'source', table: tables }] },
  };
  if (task !== null) return JSON.stringify({ steps: [reader] });
  const setting = { taskType: 'oneclick_to_holo', resourceGroup: 'g', ...(name === null ? {} : { name }) };
  const writer = { stepType: 'holo', category: 'writer', parameter: { datasource: 'sink' } };
  return JSON.stringify({ setting, steps: [reader, writer] });
}
