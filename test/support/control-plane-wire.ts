import { operations } from '../../src/api/catalogue.ts';
import { ApiError, noPrivilege } from '../../src/api/errors.ts';
import type { Grant } from '../../src/api/grant.ts';
import type { Operation, Services } from '../../src/api/operation.ts';
import type { ProjectId } from '../../src/tasks/ids.ts';
import type { Answer, Call, Side } from './control-plane-state.ts';

type Made = Exclude<Call, { kind: 'run fails' }>;
type ProjectOf = (side: Side) => ProjectId;

/** Makes a call as the gateway does once it knows who calls. Errors: those of the service that are no answers. */
export async function callOperation(call: Made, project: ProjectOf, services: Services): Promise<Answer> {
  const { action, parameters } = wire(call, project);
  const given = Object.entries(parameters).flatMap(([name, text]) => (text === null ? [] : [[name, text] as const]));
  try {
    const body = await operationOf(action).run({
      parameters: new Map(given),
      grant: grantOf(call.caller, project(call.caller)),
      services,
    });
    return answerOf(call, body);
  } catch (error) {
    if (error instanceof ApiError) return { kind: 'refused', code: error.code, message: error.message };
    throw error;
  }
}

type Body = Readonly<Record<string, unknown>>;

/** What the model looks at of an answer, whichever operation it is of. */
function answerOf({ kind }: Made, body: Body): Answer {
  const data = (typeof body['Data'] === 'object' ? (body['Data'] ?? {}) : {}) as Body;
  if (data['Status'] === 'fail') return { kind: 'fail', message: String(data['Message']) };
  if (body['Success'] === false) return { kind: 'fail', message: String(body['ErrorMessage']) };
  return { kind: 'done', data: { ...data, ...extraOf(kind, body, data) } };
}

/** What is not in Data, or deep in it. */
function extraOf(kind: Made['kind'], body: Body, data: Body): Body {
  const idsOf = (rows: unknown, name: string) => (rows as readonly Body[]).map((row) => row[name]);
  const extras: Partial<Record<Made['kind'], () => Body>> = {
    'job create': () => ({ DIJobId: body['DIJobId'] }),
    'list jobs': () => ({ Ids: idsOf((body['DIJobPaging'] as Body)['DIJobs'], 'DIJobId') }),
    'list files': () => ({ Ids: idsOf(data['Files'], 'FileId') }),
    'get file': () => data['File'] as Body,
    'rule create': () => ({ DIAlarmRuleId: body['DIAlarmRuleId'] }),
    'rule get': () => {
      const rule = body['DIAlarmRule'] as Body;
      const [condition] = rule['TriggerConditions'] as readonly Body[];
      return { ...rule, Threshold: condition?.['Threshold'] };
    },
    'list rules': () => ({ Ids: idsOf((body['DIAlarmRulePaging'] as Body)['DIJobAlarmRules'], 'DIAlarmRuleId') }),
    'source create': () => ({ SourceId: body['Data'] }),
    'list sources': () => ({ Names: new Set(idsOf(data['DataSources'], 'Name')) }),
  };
  return extras[kind]?.() ?? {};
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
    case 'job create':
      return {
        action: 'CreateDIJob',
        parameters: {
          ProjectId: common.ProjectId,
          JobName: call.name,
          MigrationType: 'FullAndRealtimeIncremental',
          SourceDataSourceType: 'MySQL',
          DestinationDataSourceType: 'Hologres',
          SourceDataSourceSettings: '[{"DataSourceName":"source"}]',
          DestinationDataSourceSettings: '[{"DataSourceName":"sink"}]',
          TableMappings: mappingsOf(call.tables),
        },
      };
    case 'job update': {
      const tables = call.tables === null ? null : mappingsOf(call.tables);
      return { action: 'UpdateDIJob', parameters: { DIJobId: String(call.task), TableMappings: tables } };
    }
    case 'job start':
      return { action: 'StartDIJob', parameters: { DIJobId: String(call.task), ForceToRerun: String(call.again) } };
    case 'job stop':
    case 'job delete':
    case 'job get':
      return { action: JOB_ACTIONS[call.kind], parameters: { DIJobId: String(call.task) } };
    case 'list jobs':
      return { action: 'ListDIJobs', parameters: { ProjectId: common.ProjectId, PageSize: '100' } };
    case 'list files':
      return { action: 'ListFiles', parameters: { ProjectId: common.ProjectId, PageSize: '100' } };
    case 'get file':
      return { action: 'GetFile', parameters: { ProjectId: common.ProjectId, FileId: String(call.task) } };
    case 'delete file':
      return { action: 'DeleteFile', parameters: { ProjectId: common.ProjectId, FileId: String(call.task) } };
    case 'rule create':
      return { action: 'CreateDIAlarmRule', parameters: { DIJobId: String(call.task), ...ruleOf(call) } };
    case 'rule update':
      return { action: 'UpdateDIAlarmRule', parameters: { DIAlarmRuleId: String(call.rule), ...ruleOf(call) } };
    case 'rule get':
      return { action: 'GetDIAlarmRule', parameters: { DIAlarmRuleId: String(call.rule) } };
    case 'rule delete':
      return { action: 'DeleteDIAlarmRule', parameters: { DIAlarmRuleId: String(call.rule) } };
    case 'list rules':
      return { action: 'ListDIAlarmRules', parameters: { DIJobId: String(call.task), PageSize: '100' } };
    case 'source create':
      return {
        action: 'CreateDataSource',
        parameters: { ProjectId: common.ProjectId, Name: call.name, EnvType: '1', ...sourceOf(call.name) },
      };
    case 'source update': {
      const Status = call.enabled ? 'ENABLED' : 'DISABLED';
      return { action: 'UpdateConnection', parameters: { ConnectionId: String(call.source), Status } };
    }
    case 'source delete':
      return { action: 'DeleteDataSource', parameters: { DataSourceId: String(call.source) } };
    case 'list sources':
      return { action: 'ListDataSources', parameters: { ProjectId: common.ProjectId, PageSize: '100' } };
    case 'get':
    case 'info':
    case 'deploy':
    case 'stop':
    case 'terminate':
    case 'delete':
      return { action: ACTIONS[call.kind], parameters: { ...common, FileId: String(call.task) } };
  }
}

const JOB_ACTIONS = { 'job stop': 'StopDIJob', 'job delete': 'DeleteDIJob', 'job get': 'GetDIJob' } as const;

function mappingsOf(tables: readonly string[]): string {
  const rules = tables.map((Expression) => ({ ObjectType: 'Table', Expression }));
  const database = { ObjectType: 'Database', Expression: 'shop' };
  return JSON.stringify([{ SourceObjectSelectionRules: [database, ...rules] }]);
}

function ruleOf({ enabled, seconds }: { enabled: boolean; seconds: number }): Readonly<Record<string, string>> {
  return {
    Enabled: String(enabled),
    MetricType: 'Delay',
    TriggerConditions: JSON.stringify([{ Severity: 'Critical', Threshold: seconds }]),
    NotificationSettings: JSON.stringify({
      NotificationChannels: [{ Severity: 'Critical', Channels: ['Ding'] }],
      NotificationReceivers: [{ ReceiverType: 'DingToken', ReceiverValues: ['t'] }],
    }),
  };
}

function sourceOf(name: string): Readonly<Record<string, string>> {
  const isSink = name === 'sink';
  const content = isSink
    ? { endpoint: 'h:5432', password: 'p' }
    : { jdbcUrl: 'jdbc:mysql://h/shop', database: 'shop', password: 'p' };
  return { DataSourceType: isSink ? 'holo' : 'mysql', Content: JSON.stringify(content) };
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
