import type { Server } from '../scripts/servers/servers.ts';
import type { Api } from './api.ts';
import type { Sink } from './far-end.ts';
import { say } from './say.ts';
import { DATABASE } from './shop.ts';

const REALTIME = { TaskType: 'DI_REALTIME' } as const;

/** The calls of the API that make, change and watch one task, as any program would make them. */
export class SyncTask {
  readonly #api: Api;
  readonly file: number;

  private constructor(api: Api, file: number) {
    this.#api = api;
    this.file = file;
  }

  /** Registers both ends, plans, creates, deploys, starts. */
  static async start(
    api: Api,
    { source, sink, tables }: { source: Server; sink: Sink; tables: readonly string[] },
  ): Promise<SyncTask> {
    const dataSource = (name: string, type: string, content: object) =>
      api.call('CreateDataSource', { Name: name, DataSourceType: type, EnvType: 1, Content: JSON.stringify(content) });
    await dataSource('shop_mysql', 'mysql', {
      jdbcUrl: `jdbc:mysql://127.0.0.1:${source.port}/${DATABASE}`,
      username: source.user,
      password: source.password,
    });
    await dataSource(sink.dataSource, sink.type, sink.content);
    const taskParam = {
      type: 'realtime',
      version: '1.0',
      setting: { resourceGroup: 'S_res_group_1_1', taskType: `oneclick_to_${sink.type}`, name: 'quickstart' },
      steps: [
        {
          stepType: 'mysql',
          name: 'Reader',
          category: 'reader',
          parameter: { connection: [{ datasourceType: 'mysql', datasource: 'shop_mysql', table: tables }] },
        },
        {
          stepType: sink.type,
          name: 'Writer',
          category: 'writer',
          parameter: { datasource: sink.dataSource, ...sink.options },
        },
      ],
    };
    const generated = await api.call('GenerateDISyncTaskConfigForCreating', {
      ...REALTIME,
      TaskParam: JSON.stringify(taskParam),
    });
    const { TaskContent } = await api.result((generated['Data'] as { ProcessId: number }).ProcessId);
    const settings = { FileFolderPath: 'Business Flow/shop/Data Integration', ResourceGroup: 'S_res_group_1_1' };
    const created = await api.call(
      'CreateDISyncTask',
      { ...REALTIME, TaskName: 'quickstart', TaskParam: JSON.stringify(settings) },
      { TaskContent },
    );
    const file = (created['Data'] as { FileId: number }).FileId;
    await api.call('DeployDISyncTask', { ...REALTIME, FileId: file });
    await api.call('StartDISyncInstance', { ...REALTIME, FileId: file });
    say(`task ${file} is created, deployed and started with ${tables.join(', ')}`);
    return new SyncTask(api, file);
  }

  /** The three calls that change a running task: plan, save, deploy. */
  async change(tables: readonly string[], what: string): Promise<void> {
    const taskParam = {
      steps: [{ name: 'Reader', category: 'reader', parameter: { connection: [{ table: tables }] } }],
    };
    const generated = await this.#api.call('GenerateDISyncTaskConfigForUpdating', {
      ...REALTIME,
      TaskId: this.file,
      TaskParam: JSON.stringify(taskParam),
    });
    const { TaskContent, Plan } = await this.#api.result((generated['Data'] as { ProcessId: number }).ProcessId);
    const plan = JSON.parse(Plan) as { tables: Record<'added' | 'removed' | 'kept', { table: string }[]> };
    const names = (list: { table: string }[]) => list.map(({ table }) => table).join(', ') || 'none';
    say(
      `${what}; the plan: added ${names(plan.tables.added)}; removed ${names(plan.tables.removed)}; kept ${names(plan.tables.kept)}`,
    );
    await this.#api.call('UpdateDISyncTask', { ...REALTIME, FileId: this.file, TaskContent });
    await this.#api.call('DeployDISyncTask', { ...REALTIME, FileId: this.file });
  }

  /** Waits until the deployed version is applied and its tables stream; says how far the loads are. */
  async untilStreaming(tables: readonly string[]): Promise<void> {
    let said = '';
    for (;;) {
      const body = await this.#api.call('GetDISyncInstanceInfo', { ...REALTIME, FileId: this.file });
      const data = body['Data'] as { Status: string; Message: string | null; Extend: string | null };
      if (data.Status === 'PAUSE') throw new Error(`the task stopped: ${data.Message}`);
      const extend = JSON.parse(data.Extend ?? 'null') as Extend | null;
      const states = extend?.tables ?? [];
      const failed = states.find(({ state }) => state === 'FAILED');
      if (failed !== undefined) throw new Error(`table ${failed.table} failed: ${failed.message}`);
      const streaming = states.filter(({ state, table }) => state === 'STREAMING' && tables.includes(table)).length;
      if (extend !== null && extend.appliedVersion === extend.deployedVersion && streaming === tables.length) return;
      const loading = states
        .filter(({ state }) => state === 'SNAPSHOTTING')
        .map(({ table, chunksDone, chunksAll }) => `${table} ${chunksDone}/${chunksAll} chunks`);
      const line = loading.length === 0 ? '' : `loading ${loading.join(', ')}`;
      if (line !== '' && line !== said) say(line);
      said = line;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

interface Extend {
  readonly appliedVersion: number;
  readonly deployedVersion: number;
  readonly tables: {
    table: string;
    state: string;
    chunksDone: number;
    chunksAll: number;
    rows: number;
    message: string | null;
  }[];
}
