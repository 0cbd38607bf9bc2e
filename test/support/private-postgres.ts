import { Client } from 'pg';
import { startServer } from '../../scripts/servers/servers.ts';

/** A PostgreSQL of the test file's own, with settings of its own; ended by `stop`. */
export interface PrivatePostgres {
  readonly port: number;
  /** Content of a data source for one of its databases. */
  content(database: string): { jdbcUrl: string; username: string; password: string };
  connect(database?: string): Promise<Client>;
  /** What the server has logged so far: with `log_statement=all`, every statement. */
  log(): string;
  stop(): Promise<void>;
}

/** `settings` are the server's own, such as `{ log_statement: 'all' }`. */
export async function startPrivatePostgres(settings: Readonly<Record<string, string>>): Promise<PrivatePostgres> {
  const server = await startServer('postgres', settings);
  const { port, user, password } = server;
  return {
    port,
    content: (database) => ({ jdbcUrl: `jdbc:postgresql://127.0.0.1:${port}/${database}`, username: user, password }),
    connect: async (database = 'postgres') => {
      const client = new Client({ host: '127.0.0.1', port, user, password, database });
      // A backend that a test ends is told at the next query.
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    log: () => server.log(),
    stop: () => server.stop(),
  };
}
