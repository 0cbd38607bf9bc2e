// npm run servers -- up [kinds…]   keeps them up until Ctrl-C;   npm run servers -- install   only fetches them.
import { installKafka } from './kafka.ts';
import { KAFKA_VERSIONS } from './kafka-jars.ts';
import { installMariadb } from './mariadb.ts';
import { installMysql } from './mysql.ts';
import { installPostgres } from './postgres.ts';
import { SERVER_KINDS, type Server, type ServerKind, startServer } from './servers.ts';

const [command = 'up', ...names] = process.argv.slice(2);
const unknown = names.find((name) => !SERVER_KINDS.includes(name as ServerKind));

if (unknown !== undefined || !['up', 'install'].includes(command)) {
  console.error(`usage: npm run servers -- up [${SERVER_KINDS.join(' ')}]  |  npm run servers -- install`);
  process.exit(2);
} else if (command === 'install') {
  await installMariadb();
  await installMysql();
  await installPostgres();
  for (const version of KAFKA_VERSIONS) await installKafka(version);
} else {
  const kinds = names.length === 0 ? SERVER_KINDS : (names as ServerKind[]);
  const servers = await Promise.all(kinds.map((kind) => startServer(kind)));
  for (const server of servers) console.log(`${server.version}: ${howToConnect(server)}`);
  console.log('Ctrl-C ends them and removes their data.');
  // Nothing else keeps this process: the servers are not waited for.
  const awake = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  clearInterval(awake);
  await Promise.all(servers.map((server) => server.stop()));
}

function howToConnect({ port, user, password, kind }: Server): string {
  switch (kind) {
    case 'postgres':
      return `PGPASSWORD=${password} psql -h 127.0.0.1 -p ${port} -U ${user} postgres`;
    case 'kafka':
      return `kcat -b 127.0.0.1:${port} -L`;
    case 'mariadb':
    case 'mysql':
      return `mariadb -h127.0.0.1 -P${port} -u${user} -p${password}`;
  }
}
