import { after } from 'node:test';
import { operations } from '../../src/api/catalogue.ts';
import { createGateway, type GatewayOptions } from '../../src/api/gateway.ts';
import type { Listener } from '../../src/api/http/listener.ts';
import type { RunStatus } from '../../src/engine/engine.ts';
import { silentLog } from '../../src/lib/log.ts';
import { DEFAULT_DDL_POLICIES } from '../../src/pipeline/policies.ts';
import type { CataloguePage } from '../../src/pipeline/catalogue.ts';
import type { Stage } from '../../src/pipeline/stages.ts';
import type { AccessKey, AccessService, TokenRefusal } from '../../src/tasks/access-service.ts';
import type { AuditedCall } from '../../src/tasks/audit.ts';
import type { AlarmRule } from '../../src/tasks/alarm-rule.ts';
import type { AlarmService } from '../../src/tasks/alarm-service.ts';
import type { DataSource, DataSourceService } from '../../src/tasks/data-source-service.ts';
import type { AlarmRuleId, DataSourceId, ProcessId, ProjectId, TaskId } from '../../src/tasks/ids.ts';
import { readPolicy } from '../../src/tasks/policy-reader.ts';
import type { FileService, TaskFile } from '../../src/tasks/file-service.ts';
import type { ProjectConfigService } from '../../src/tasks/project-config-service.ts';
import type { Job, JobService } from '../../src/tasks/job-service.ts';
import { TaskError } from '../../src/tasks/task-error.ts';
import type { InstanceInfo, ProcessState, SolutionDetail, TaskService } from '../../src/tasks/task-service.ts';

export const PROJECT = 10000n as ProjectId;
export const FOREIGN_PROJECT = 10001n as ProjectId;
export const KEY_ID = 'testid';
/** Whose key it is. */
export const USER = 'tester';
export const SECRET = 'testsecret';
/** The largest id there can be: through a double it would end in 8. */
export const BIG_ID = 9223372036854775807n;

/** One call that reached a service, with what it was given. */
export interface ServiceCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A gateway over services that record what reaches them. */
export interface GatewayUnderTest {
  readonly listener: Listener;
  readonly calls: ServiceCall[];
  readonly audited: AuditedCall[];
  readonly access: FakeAccess;
  /** Set to make the next call of any service fail. */
  failure: Error | null;
  process: ProcessState;
  info: InstanceInfo;
  solution: SolutionDetail;
  dataSources: DataSource[];
  notImported: string[];
  alarmRules: AlarmRule[];
  catalogue: CataloguePage;
  stages: readonly Stage[];
}

export interface FakeAccess extends AccessService {
  readonly keys: Map<string, AccessKey>;
  /** By key id and security token. */
  readonly tokens: Map<string, AccessKey | TokenRefusal>;
  readonly nonces: Map<string, number>;
}

/** A gateway that listens on a free port of loopback, and is closed after the tests of the file. */
export async function openGateway(
  overrides: Partial<GatewayOptions> = {},
): Promise<GatewayUnderTest & { readonly port: number }> {
  const under = gatewayUnderTest(overrides);
  const port = await under.listener.listen('127.0.0.1', 0);
  after(() => under.listener.close(100));
  return Object.assign(under, { port });
}

function gatewayUnderTest(overrides: Partial<GatewayOptions> = {}): GatewayUnderTest {
  const access = fakeAccess();
  const under: GatewayUnderTest = {
    calls: [],
    access,
    failure: null,
    process: { kind: 'success', taskContent: '{"type":"job"}', plan: '{"tables":[]}', message: null },
    info: { name: 'rt', status: 'RUN', message: null, appliedVersion: 1, deployedVersion: 2, run: RUN, solution: null },
    solution: SOLUTION,
    dataSources: [],
    notImported: [],
    alarmRules: [],
    catalogue: { schemas: [], tables: [], total: 0 },
    stages: [],
    audited: [],
    listener: null as never,
  };
  const record = <T>(method: string, result: (...args: never[]) => T) => {
    return async (...args: unknown[]): Promise<T> => {
      under.calls.push({ method, args });
      const { failure } = under;
      under.failure = null;
      if (failure !== null) throw failure;
      return result(...(args as never[]));
    };
  };
  const tasks: TaskService = {
    generateForCreating: record('generateForCreating', () => BIG_ID as ProcessId),
    generateForUpdating: record('generateForUpdating', () => BIG_ID as ProcessId),
    processResult: record('processResult', () => under.process),
    create: record('create', () => BIG_ID as TaskId),
    update: record('update', () => undefined),
    content: record('content', () => '{"type":"job"}'),
    solution: record('solution', () => under.solution),
    deploy: record('deploy', () => undefined),
    start: record('start', () => undefined),
    stop: record('stop', () => undefined),
    terminate: record('terminate', () => undefined),
    info: record('info', () => under.info),
    using: record('using', () => [
      { id: BIG_ID as TaskId, name: 'rt', type: 'DI_REALTIME' as const, sourceName: 'shop', sinkName: 'bi' },
    ]),
    delete: record('delete', () => undefined),
  };
  const jobs: JobService = {
    create: record('createJob', () => BIG_ID as TaskId),
    update: record('updateJob', () => undefined),
    get: record('getJob', () => ({ ...JOB, info: under.info })),
    list: record('listJobs', () => ({ rows: [JOB], total: 12 })),
    start: record('startJob', () => undefined),
    stop: record('stopJob', () => undefined),
    delete: record('deleteJob', () => undefined),
  };
  const dataSources: DataSourceService = {
    create: record('createDataSource', () => BIG_ID as DataSourceId),
    list: record('listDataSources', () => ({ rows: under.dataSources, total: 12 })),
    update: record('updateDataSource', () => undefined),
    delete: record('deleteDataSource', () => undefined),
    import: record('importDataSources', () => under.notImported),
    share: record('shareDataSource', () => undefined),
    catalogue: record('catalogue', () => under.catalogue),
    stages: record('stages', () => under.stages),
  };
  const projectConfigs: ProjectConfigService = {
    ddlPolicies: record('ddlPolicies', () => DEFAULT_DDL_POLICIES),
    replaceDdlPolicies: record('replaceDdlPolicies', () => undefined),
  };
  const files: FileService = {
    list: record('listFiles', () => ({ rows: [FILE], total: 12 })),
    file: record('file', () => ({ ...FILE, content: '{}' })),
    delete: record('deleteFile', () => undefined),
    projectNamed: record('projectNamed', (name: string) => (name === 'ours' ? PROJECT : null)),
  };
  const alarms: AlarmService = {
    create: record('createAlarmRule', () => BIG_ID as AlarmRuleId),
    update: record('updateAlarmRule', () => undefined),
    get: record('getAlarmRule', () => ALARM_RULE),
    list: record('listAlarmRules', () => ({ rows: [ALARM_RULE], total: 12 })),
    delete: record('deleteAlarmRule', () => undefined),
    // Not recorded: it comes with every look at a task.
    ofTask: async () => under.alarmRules,
  };
  const listener = createGateway({
    operations,
    access,
    audit: { append: async (call) => void under.audited.push(call), entries: () => [] },
    tasks,
    jobs,
    dataSources,
    projectConfigs,
    files,
    alarms,
    clock: Date.now,
    log: silentLog,
    dev: false,
    health: null,
    ...overrides,
    limits: { readsPerSecond: 0, writesPerSecond: 0, ...overrides.limits },
  });
  return Object.assign(under, { listener });
}

const SOLUTION: SolutionDetail = {
  id: BIG_ID as TaskId,
  name: 'whole shop',
  project: PROJECT,
  creator: USER,
  sourceType: 'mysql',
  sinkType: 'holo',
  state: 'running',
  submittedAt: Date.UTC(2021, 11, 7, 14, 40, 51),
  startedAt: null,
  processContent: '{"srcType":"mysql"}',
  processExtra: '{"processType":"new","tableNum":1}',
};

export const ALARM_RULE: AlarmRule = {
  id: BIG_ID as AlarmRuleId,
  task: BIG_ID as TaskId,
  description: 'late',
  enabled: true,
  metric: 'Delay',
  conditions: [{ severity: 'Warning', durationMinutes: 3, threshold: 60, ddl: null }],
  muteMinutes: 15,
  channels: [{ severity: 'Warning', channels: ['Ding'] }],
  receivers: [{ type: 'DingToken', values: ['***abcd'] }],
  creator: KEY_ID,
  editor: 'other',
  createdAt: 1_663_573_162_999,
  editedAt: 1_663_573_163_000,
};

const FILE: TaskFile = {
  id: BIG_ID as TaskId,
  name: 'rt',
  type: 'DI_REALTIME',
  folder: 'Business Flow/a',
  creator: USER,
  editor: 'other',
  createdAt: 1000,
  editedAt: 2000,
  version: 2,
  isDeployed: true,
  isCommitted: false,
  content: null,
};

const RUN: RunStatus = {
  phase: 'running',
  appliedVersion: 1,
  wantedVersion: 2,
  lagMs: 12,
  heldMs: null,
  offset: 'binlog.000001:4',
  tables: [
    {
      table: { database: 'shop', table: 'a.b"c' },
      state: 'FAILED',
      chunksDone: 1,
      chunksAll: 2,
      rows: 3,
      failure: { code: 'Table.SchemaChanged', message: 'changed', remedy: 'stop and start' },
      resume: null,
    },
  ],
  failure: null,
  nextTryAt: null,
  failovers: 1,
  rowsRead: 0,
  rowsWritten: 0,
  bytesRead: 0,
  dirtyRows: 0,
  ddl: {},
  checkpointAt: null,
  watermarkAt: null,
};

/** A key of a user who may do everything in PROJECT, or what is said otherwise. */
export function fakeKey(changes: Partial<AccessKey>): AccessKey {
  return {
    id: KEY_ID,
    secret: SECRET,
    active: true,
    user: USER,
    projects: [PROJECT],
    policy: readPolicy('{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'),
    session: null,
    ...changes,
  };
}

const JOB: Omit<Job, 'info'> = {
  id: BIG_ID as TaskId,
  project: PROJECT,
  name: 'rt',
  status: 'Running',
  sourceType: 'MySQL',
  sinkType: 'Hologres',
  migrationType: 'FullAndRealtimeIncremental',
  spec: {
    Description: null,
    MigrationType: 'FullAndRealtimeIncremental',
    SourceDataSourceType: 'MySQL',
    DestinationDataSourceType: 'Hologres',
    SourceDataSourceSettings: [{ DataSourceName: 'shop_mysql', DataSourceProperties: { Encoding: 'UTF-8' } }],
    DestinationDataSourceSettings: [{ DataSourceName: 'bi_holo', DataSourceProperties: null }],
    TableMappings: [
      {
        SourceObjectSelectionRules: [
          { ObjectType: 'Database', Expression: 'shop', Action: null, ExpressionType: null },
          { ObjectType: 'Table', Expression: 'o.*', Action: 'Include', ExpressionType: 'Regex' },
        ],
        TransformationRules: null,
      },
    ],
    TransformationRules: null,
    JobSettings: null,
    ResourceSettings: null,
  },
  failure: null,
  createdAt: 1_671_516_776_999,
  editedAt: 1_673_859_985_000,
  startedAt: null,
  creator: USER,
  editor: USER,
  warnings: ['w', 'x'],
  starter: null,
};

function fakeAccess(): FakeAccess {
  const keys = new Map<string, AccessKey>([
    [KEY_ID, fakeKey({ id: KEY_ID })],
    ['inactive', fakeKey({ id: 'inactive', active: false })],
  ]);
  const tokens = new Map<string, AccessKey | TokenRefusal>();
  const nonces = new Map<string, number>();
  const projects = [PROJECT, FOREIGN_PROJECT];
  const notBuilt = () => Promise.reject(new TaskError('not-built', 'Test', 'not of this fake'));
  return {
    keys,
    tokens,
    nonces,
    createProject: notBuilt,
    listProjects: async () => projects.map((id) => ({ id, name: String(id) })),
    projectExists: async (id) => projects.includes(id),
    createUser: notBuilt,
    deleteUser: notBuilt,
    listUsers: notBuilt,
    setMember: notBuilt,
    setPolicy: notBuilt,
    policy: notBuilt,
    createKey: notBuilt,
    findKey: async (id) => keys.get(id) ?? null,
    listKeys: notBuilt,
    setKeyActive: notBuilt,
    issueToken: notBuilt,
    openToken: async (keyId, token) => tokens.get(`${keyId} ${token}`) ?? 'malformed',
    isNonceUsed: (keyId, nonce) => nonces.has(`${keyId} ${nonce}`),
    noteNonce: (keyId, nonce, expiresAt) => {
      nonces.set(`${keyId} ${nonce}`, expiresAt);
      return { durable: () => Promise.resolve() };
    },
  };
}
