import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { launch, own, type Server, serverFolder, serverUser } from './lifecycle.ts';
import { adminSql, mysqlReady, settingsFile } from './mysql-family.ts';
import { findProgram, installProgram, output } from './packages.ts';

/** MariaDB from what is installed, else from Debian's package. */
export async function startMariadb(settings: Readonly<Record<string, string>>): Promise<Server> {
  const program = await installMariadb();
  const version = /(\d+\.\d+\.\d+)-MariaDB/.exec(await output(program, ['--no-defaults', '--version']))?.[1] ?? '';
  const folder = serverFolder('mariadb');
  const data = join(folder, 'data');
  const port = await freePort();
  await output(
    findProgram('mariadb-install-db') ?? 'mariadb-install-db',
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    // A server that starts removes temporary tables of others from a folder that they share.
    { cwd: folder, env: { ...process.env, TMPDIR: folder }, ...serverUser },
  );
  const admin = join(folder, 'admin.sql');
  writeFileSync(admin, adminSql());
  own(admin);
  const config = settingsFile(folder, {
    datadir: data,
    port: String(port),
    'init-file': admin,
    binlog_row_metadata: 'FULL',
    gtid_strict_mode: '1',
    ...settings,
  });
  return launch({
    kind: 'mariadb',
    version: `MariaDB ${version}`,
    user: 'root',
    folder,
    port,
    command: [program, `--defaults-file=${config}`],
    ready: () => mysqlReady(port),
  });
}

export async function installMariadb(): Promise<string> {
  return installProgram('mariadbd', 'mariadb-server');
}
