import type { JsonObject } from '../lib/json-value.ts';
import type { AlarmService } from '../tasks/alarm-service.ts';
import type { DataSourceService } from '../tasks/data-source-service.ts';
import type { FileService } from '../tasks/file-service.ts';
import type { ProjectConfigService } from '../tasks/project-config-service.ts';
import type { JobService } from '../tasks/job-service.ts';
import type { TaskService } from '../tasks/task-service.ts';
import type { Grant } from './grant.ts';
import type { Parameters } from './parameter.ts';

export const VERSION_2020 = '2020-05-18';

/** What operations call. */
export interface Services {
  readonly tasks: TaskService;
  readonly jobs: JobService;
  readonly dataSources: DataSourceService;
  readonly projectConfigs: ProjectConfigService;
  readonly files: FileService;
  readonly alarms: AlarmService;
}

/** One authenticated call. */
export interface OperationCall {
  /** Every parameter that came, query and form merged. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly grant: Grant;
  readonly services: Services;
}

/** One key of the answer, or of an object in it. */
export interface Field {
  readonly name: string;
  readonly type: 'string' | 'long' | 'integer' | 'number' | 'boolean' | 'object' | 'list';
  readonly meaning: string;
  /** Keys of the object, or of each object in the list. */
  readonly fields?: readonly Field[];
}

export const SUCCESS: Field = { name: 'Success', type: 'boolean', meaning: 'true: the call was processed' };

/** An entry of the catalogue: what validation, documentation and command line know of an operation, and how it runs. */
export interface Operation {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  /** Whether it changes anything: what policies, audit and replay protection tell apart. */
  readonly access: 'read' | 'write';
  readonly parameters: Parameters;
  /** The HTTP status of a call that comes too often, as its page documents it. */
  readonly throttled: 400 | 429;
  /** Keys of the answer beside RequestId. */
  readonly answer: readonly Field[];
  readonly notes: readonly string[];
  /** The answer without RequestId. Errors: ApiError; anything else is our defect. */
  run(call: OperationCall): Promise<JsonObject>;
}
