import { type Command, InvalidArgumentError } from 'commander';
import { readTextFile } from '../lib/text-file.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { makingStore, withStore } from './with-store.ts';

/** Adds `disync project …`, `user …`, `policy …`, `key …` and `token`. What they change holds for the next call. */
export function registerAccess(program: Command): void {
  registerProjects(program.command('project').description('workspaces, and who is a member'));
  registerUsers(program.command('user').description('who calls: users have keys, policies, and projects'));
  registerPolicies(program.command('policy').description('what a user may do'));
  registerKeys(program.command('key').description('access keys'));
  registerToken(program);
}

function registerProjects(project: Command): void {
  const create = project
    .command('create')
    .description('makes a workspace')
    .argument('<id>', 'a number', readId)
    .argument('[name]', 'for people');
  makingStore(create, async ({ access }, [id, name]) => {
    const project = id as ProjectId;
    await access.createProject(project, typeof name === 'string' ? name : `project ${project}`);
    console.log(`project ${project} is made; "disync key create --project ${project}" makes a key for it`);
  });
  withStore(project.command('list').description('lists workspaces'), async ({ access }) => {
    for (const { id, name } of await access.listProjects()) console.log(`${id}\t${name}`);
  });
  for (const [name, isMember] of [
    ['add-member', true],
    ['remove-member', false],
  ] as const) {
    const command = project
      .command(name)
      .description(isMember ? 'lets a user into a workspace' : 'takes a user out of a workspace')
      .argument('<id>', 'the workspace', readId)
      .argument('<user>');
    withStore(command, async ({ access }, [id, user]) => {
      await access.setMember(id as ProjectId, String(user as string), isMember);
      console.log(`user ${String(user as string)} is ${isMember ? 'a' : 'no'} member of project ${id as ProjectId}`);
    });
  }
}

function registerUsers(user: Command): void {
  const create = user.command('create').description('makes a user, who may do nothing yet').argument('<name>');
  withStore(create, async ({ access }, [name]) => {
    await access.createUser(name as string);
    console.log(
      `user ${name as string} is made; give it a policy ("disync policy set"), a project ("disync project add-member") and a key ("disync key create --user")`,
    );
  });
  withStore(user.command('list').description('lists users with their projects and policies'), async ({ access }) => {
    for (const { name, projects, policies } of await access.listUsers())
      console.log(`${name}\t${projects.join(',')}\t${policies.join(',')}`);
  });
  const remove = user.command('delete').description('deletes a user with its keys, at once').argument('<name>');
  withStore(remove, async ({ access }, [name]) => {
    await access.deleteUser(name as string);
    console.log(`user ${name as string} is deleted`);
  });
}

function registerPolicies(policy: Command): void {
  const set = policy
    .command('set')
    .description('gives a user a policy, or another text to one')
    .argument('<user>')
    .argument('<name>', 'of the policy')
    .argument(
      '<file>',
      'JSON: {"Version":"1","Statement":[{"Effect":"Allow","Action":"dataworks:Get*","Resource":"*"}]}',
    );
  withStore(set, async ({ access }, [user, name, file]) => {
    await access.setPolicy(user as string, name as string, readTextFile(file as string));
    console.log(`user ${user as string} has the policy ${name as string}`);
  });
  const show = policy.command('show').description('prints a policy').argument('<user>').argument('<name>');
  withStore(show, async ({ access }, [user, name]) => {
    console.log(await access.policy(user as string, name as string));
  });
  const remove = policy.command('remove').description('takes a policy away').argument('<user>').argument('<name>');
  withStore(remove, async ({ access }, [user, name]) => {
    await access.setPolicy(user as string, name as string, null);
    console.log(`user ${user as string} has no policy ${name as string}`);
  });
}

function registerKeys(key: Command): void {
  const create = key
    .command('create')
    .description('makes an access key; its secret is shown once')
    .option('--user <name>', 'whose key it is')
    .option(
      '--project <id>',
      'without --user: makes a user for it who may do everything in this workspace; may be repeated',
      collectIds,
      [] as ProjectId[],
    )
    .option('--id <id>', 'take this id instead of a new one')
    .option('--secret <secret>', 'take this secret instead of a new one');
  withStore(create, async ({ access }, _, options) => {
    const projects = options['project'] as ProjectId[];
    const { user } = options;
    if ((user === undefined) === (projects.length === 0))
      throw new Error('give either --user, whose key it is, or --project, which it opens');
    const { id, secret } = await access.createKey({
      ...(typeof user === 'string' ? { user } : { projects }),
      ...(typeof options['id'] === 'string' ? { id: options['id'] } : {}),
      ...(typeof options['secret'] === 'string' ? { secret: options['secret'] } : {}),
    });
    console.log(JSON.stringify({ accessKeyId: id, accessKeySecret: secret }));
  });
  withStore(key.command('list').description('lists access keys, without their secrets'), async ({ access }) => {
    for (const { id, active, user, projects } of await access.listKeys())
      console.log(`${id}\t${active ? 'active' : 'disabled'}\t${user}\t${projects.join(',')}`);
  });
  for (const [name, active] of [
    ['disable', false],
    ['enable', true],
  ] as const) {
    const command = key.command(name).description(`${name}s an access key, at once`).argument('<id>');
    withStore(command, async ({ access }, [id]) => {
      await access.setKeyActive(id as string, active);
      console.log(`access key ${id as string} is ${active ? 'active' : 'disabled'}`);
    });
  }
}

function registerToken(program: Command): void {
  const token = program
    .command('token')
    .description('issues temporary credentials of a user: access key, secret and security token')
    .requiredOption('--user <name>', 'whose they are')
    .option('--minutes <number>', 'how long they live, 1 to 720', '60')
    .option('--policy <file>', 'narrows what they may: they may do what this policy and those of the user allow');
  withStore(token, async ({ access }, _, options) => {
    const { user, minutes, policy } = options;
    const { id, secret, securityToken, expiresAt } = await access.issueToken({
      user: user as string,
      lifetimeMs: Number(minutes) * 60_000,
      policy: typeof policy === 'string' ? readTextFile(policy) : null,
    });
    const expiration = new Date(expiresAt).toISOString();
    console.log(JSON.stringify({ accessKeyId: id, accessKeySecret: secret, securityToken, expiration }));
  });
}

function readId(text: string): ProjectId {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('a project id is a number');
  return BigInt(text) as ProjectId;
}

function collectIds(text: string, before: readonly ProjectId[]): ProjectId[] {
  return [...before, readId(text)];
}
