// npm run servers -- up [kinds…]   keeps them up until Ctrl-C;   npm run servers -- install   only fetches them.
import { installMariadb } from './mariadb.ts';
import { installMysql } from './mysql.ts';
import { installPostgres } from './postgres.ts';
import { SERVER_KINDS, type ServerKind, startServer } from './servers.ts';

const [command = 'up', ...names] = process.argv.slice(2);
const unknown = names.find((name) => !SERVER_KINDS.includes(name as ServerKind));

if (unknown !== undefined || !['up', 'install'].includes(command)) {
  console.error(`usage: npm run servers -- up [${SERVER_KINDS.join(' ')}]  |  npm run servers -- install`);
  process.exit(2);
} else if (command === 'install') {
  await installMariadb();
  await installMysql();
  await installPostgres();
} else {
  const kinds = names.length === 0 ? SERVER_KINDS : (names as ServerKind[]);
  const servers = await Promise.all(kinds.map((kind) => startServer(kind)));
  for (const { version, port, user, password, kind } of servers) {
    const how =
      kind === 'postgres'
        ? `PGPASSWORD=${password} psql -h 127.0.0.1 -p ${port} -U ${user} postgres`
        : `mariadb -h127.0.0.1 -P${port} -u${user} -p${password}`;
    console.log(`${version}: ${how}`);
  }
  console.log('Ctrl-C ends them and removes their data.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await Promise.all(servers.map((server) => server.stop()));
}
