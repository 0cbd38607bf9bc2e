import type { Server } from '../../scripts/servers/servers.ts';
import { Api } from '../../quickstart/api.ts';
import { sourceContent, targetContent } from './report.ts';

const PROJECT = 10000;
const TYPE = { TaskType: 'DI_REALTIME' };

interface Extend {
  readonly appliedVersion: number;
  readonly deployedVersion: number;
  readonly tables: { readonly table: string; readonly state: string; readonly message: string | null }[];
}

/** One real-time task, created and changed through the API with the vendor's client. */
export class SyncTask {
  readonly #api: Api;
  readonly #file: number;

  private constructor(api: Api, file: number) {
    this.#api = api;
    this.#file = file;
  }

  /** Creates, deploys and starts it. */
  static async start(
    endpoint: string,
    source: Server,
    target: Server,
    database: string,
    tables: readonly string[],
  ): Promise<SyncTask> {
    const api = new Api(endpoint, PROJECT);
    const dataSource = (name: string, type: string, content: object) =>
      api.call('CreateDataSource', { Name: name, DataSourceType: type, EnvType: 1, Content: JSON.stringify(content) });
    await dataSource('source', 'mysql', sourceContent(source, database));
    await dataSource('target', 'holo', targetContent(target, 'postgres'));
    const connection = [{ datasourceType: 'mysql', datasource: 'source', table: tables }];
    const param = {
      type: 'realtime',
      version: '1.0',
      setting: { resourceGroup: 'S_res_group_1_1', taskType: 'oneclick_to_holo', name: 'bench' },
      steps: [
        { stepType: 'mysql', name: 'Reader', category: 'reader', parameter: { connection } },
        { stepType: 'holo', name: 'Writer', category: 'writer', parameter: { datasource: 'target' } },
      ],
    };
    const generated = await api.call('GenerateDISyncTaskConfigForCreating', {
      ...TYPE,
      TaskParam: JSON.stringify(param),
    });
    const { TaskContent } = await api.result((generated['Data'] as { ProcessId: number }).ProcessId);
    const settings = { FileFolderPath: 'Business Flow/bench/Data Integration', ResourceGroup: 'S_res_group_1_1' };
    const created = await api.call(
      'CreateDISyncTask',
      { ...TYPE, TaskName: 'bench', TaskParam: JSON.stringify(settings) },
      { TaskContent },
    );
    const file = (created['Data'] as { FileId: number }).FileId;
    await api.call('DeployDISyncTask', { ...TYPE, FileId: file });
    await api.call('StartDISyncInstance', { ...TYPE, FileId: file });
    return new SyncTask(api, file);
  }

  /** Plans, saves and deploys another list of tables; returns once it is deployed. */
  async change(tables: readonly string[]): Promise<void> {
    const steps = [{ name: 'Reader', category: 'reader', parameter: { connection: [{ table: tables }] } }];
    const generated = await this.#api.call('GenerateDISyncTaskConfigForUpdating', {
      ...TYPE,
      TaskId: this.#file,
      TaskParam: JSON.stringify({ steps }),
    });
    const { TaskContent } = await this.#api.result((generated['Data'] as { ProcessId: number }).ProcessId);
    await this.#api.call('UpdateDISyncTask', { ...TYPE, FileId: this.#file, TaskContent });
    await this.#api.call('DeployDISyncTask', { ...TYPE, FileId: this.#file });
  }

  /** Waits until the deployed version is applied and its tables stream. Errors: Error when the task or a table stopped. */
  async untilStreaming(tables: readonly string[]): Promise<void> {
    for (;;) {
      const body = await this.#api.call('GetDISyncInstanceInfo', { ...TYPE, FileId: this.#file });
      const data = body['Data'] as { Status: string; Message: string | null; Extend: string | null };
      if (data.Status === 'PAUSE') throw new Error(`the task stopped: ${data.Message}`);
      const extend = JSON.parse(data.Extend ?? 'null') as Extend | null;
      const failed = extend?.tables.find(({ state }) => state === 'FAILED');
      if (failed !== undefined) throw new Error(`table ${failed.table} failed: ${failed.message}`);
      const streaming = extend?.tables.filter(
        ({ state, table }) => state === 'STREAMING' && tables.includes(table),
      ).length;
      if (extend?.appliedVersion === extend?.deployedVersion && streaming === tables.length) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
