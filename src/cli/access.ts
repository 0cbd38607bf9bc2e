import { type Command, InvalidArgumentError } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { systemClock } from '../lib/clock.ts';
import { Store } from '../store/store.ts';
import type { AccessService } from '../tasks/access-service.ts';
import type { ProjectId } from '../tasks/ids.ts';

/** Adds `disync project …` and `disync key …`: they work on the store itself, also while the service runs. */
export function registerAccess(program: Command): void {
  const project = program.command('project').description('workspaces');
  withStore(
    project
      .command('create')
      .description('makes a workspace')
      .argument('<id>', 'a number', readId)
      .argument('[name]', 'for people'),
    async (access, [id, name]) => {
      const project = id as ProjectId;
      await access.createProject(project, typeof name === 'string' ? name : `project ${project}`);
      console.log(`project ${project} is made; "disync key create --project ${project}" makes a key for it`);
    },
  );
  withStore(project.command('list').description('lists workspaces'), async (access) => {
    for (const { id, name } of await access.listProjects()) console.log(`${id}\t${name}`);
  });

  const key = program.command('key').description('access keys');
  const create = key
    .command('create')
    .description('makes an access key; its secret is shown once')
    .requiredOption('--project <id>', 'a workspace that the key opens; may be repeated', collectIds, [] as ProjectId[])
    .option('--id <id>', 'take this id instead of a new one')
    .option('--secret <secret>', 'take this secret instead of a new one');
  withStore(create, async (access, _, options) => {
    const { id, secret } = await access.createKey({
      projects: options['project'] as ProjectId[],
      ...(typeof options['id'] === 'string' ? { id: options['id'] } : {}),
      ...(typeof options['secret'] === 'string' ? { secret: options['secret'] } : {}),
    });
    console.log(JSON.stringify({ accessKeyId: id, accessKeySecret: secret }));
  });
  withStore(key.command('list').description('lists access keys, without their secrets'), async (access) => {
    for (const { id, active, projects } of await access.listKeys())
      console.log(`${id}\t${active ? 'active' : 'disabled'}\t${projects.join(',')}`);
  });
  for (const [name, active] of [
    ['disable', false],
    ['enable', true],
  ] as const) {
    withStore(
      key.command(name).description(`${name}s an access key, at once`).argument('<id>'),
      async (access, [id]) => {
        await access.setKeyActive(String(id as string), active);
        console.log(`access key ${String(id as string)} is ${active ? 'active' : 'disabled'}`);
      },
    );
  }
}

type Action = (
  access: AccessService,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void>;

function withStore(command: Command, action: Action): void {
  command.option('--data-dir <folder>', 'folder of the store').option('--config <file>', 'configuration file');
  command.action(async (...all: unknown[]) => {
    const options = command.opts<Record<string, unknown>>();
    const { dataDir, config } = options;
    const store = openStore(
      readConfig({ ...(dataDir === undefined ? {} : { dataDir }), ...(config === undefined ? {} : { config }) }),
    );
    try {
      await action(store.access, all.slice(0, command.registeredArguments.length), options);
    } finally {
      await store.close();
    }
  });
}

function openStore({ dataDir, masterKey, masterKeyFile }: Config): Store {
  return Store.open({ folder: dataDir, masterKey, masterKeyFile, clock: systemClock, exclusive: false });
}

function readId(text: string): ProjectId {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('a project id is a number');
  return BigInt(text) as ProjectId;
}

function collectIds(text: string, before: readonly ProjectId[]): ProjectId[] {
  return [...before, readId(text)];
}
