import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { sinks, sources } from '../../src/connectors/index.ts';
import { Store } from '../../src/store/store.ts';
import { DataSources } from '../../src/tasks/data-sources.ts';
import type { ProjectId } from '../../src/tasks/ids.ts';
import { writeContent } from '../../src/tasks/script-writer.ts';
import type { TaskDefinition } from '../../src/tasks/task-definition.ts';

const AT_ONCE = 500;
const SOURCE = 'shop_mysql';
const SINK = 'bi_holo';

const DEFINITION: TaskDefinition = {
  name: null,
  resourceGroup: 'group',
  route: 'oneclick_to_holo',
  sourceName: SOURCE,
  sinkName: SINK,
  form: 'table',
  initialLoad: 'all',
  reader: {},
  writer: {},
  tables: ['orders', 'items', 'customers', 'payments', 'parcels'].map((table) => ({
    table: { database: 'shop', table },
    target: { schema: 'shop', table },
    key: ['id'],
    load: 'full',
    since: 1,
    columns: ['id', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({
      name,
      type: name === 'id' ? 'bigint' : 'character varying(200)',
      nullable: name !== 'id',
      comment: '',
    })),
  })),
};

/** What GenerateDISyncTaskConfigForUpdating is asked for: one table less. */
export const TASK_PARAM: string = JSON.stringify({
  steps: [
    {
      stepType: 'mysql',
      category: 'reader',
      parameter: { connection: [{ datasource: SOURCE, table: ['orders', 'items', 'customers', 'payments'] }] },
    },
  ],
});

/**
 * Fills a store with deployed tasks of a project: five tables of eight columns each. Their source is at `source`, whoever listens
 * there. Gives the first task's id; the others follow it.
 */
export async function fillStore(options: {
  folder: string;
  project: bigint;
  tasks: number;
  source: { host: string; port: number };
}): Promise<number> {
  const { folder, tasks, source } = options;
  const project = options.project as ProjectId;
  const clock = { now: () => Date.now() };
  const store = Store.open({ folder, masterKey: null, masterKeyFile: null, clock, exclusive: true });
  try {
    const surroundings = { connectors: { sources, sinks }, instances: {}, hosts: DEFAULT_HOST_POLICY };
    const dataSources = new DataSources({ store, ...surroundings, clock });
    const register = (name: string, type: string, content: object) => {
      const registered = {
        name,
        type,
        subType: null,
        env: 1,
        description: '',
        content: JSON.stringify(content),
      } as const;
      return dataSources.create({ project, user: 'bench' }, registered);
    };
    const account = { username: 'u', password: 'p', database: 'shop' };
    await register(SOURCE, 'mysql', { ...source, ...account });
    await register(SINK, 'holo', { endpoint: `${source.host}:${source.port}`, ...account });
    const content = writeContent(DEFINITION, null);
    let first = 0n;
    for (let done = 0; done < tasks; done += AT_ONCE) {
      await store.transaction(async (records) => {
        for (let number = done; number < Math.min(tasks, done + AT_ONCE); number += 1) {
          const task = {
            project,
            name: `task ${number}`,
            type: 'DI_REALTIME',
            settings: '{}',
            folder: '',
            creator: 'bench',
          } as const;
          const version = { version: 1, definition: DEFINITION, content, shown: { added: [], removed: [] } };
          const id = await records.insertTask(task, version);
          await records.updateTask(id, { deployed: 1, state: 'NORUN' });
          if (number === 0) first = id;
        }
      });
    }
    return Number(first);
  } finally {
    await store.close();
  }
}
