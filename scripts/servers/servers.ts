import { startKafka } from './kafka.ts';
import type { Server, ServerKind } from './lifecycle.ts';
import { startMariadb } from './mariadb.ts';
import { startMysql } from './mysql.ts';
import { startPostgres } from './postgres.ts';

export type { Server, ServerKind };

export const SERVER_KINDS: readonly ServerKind[] = ['mariadb', 'mysql', 'postgres', 'kafka'];

/**
 * Starts a private server on a free loopback port, installing it first if need be. It ends with this process.
 * `settings` go to the server's own configuration. Errors: Error that says which ways of getting it failed and why.
 */
export function startServer(kind: ServerKind, settings: Readonly<Record<string, string>> = {}): Promise<Server> {
  switch (kind) {
    case 'mariadb':
      return startMariadb(settings);
    case 'mysql':
      return startMysql(settings);
    case 'postgres':
      return startPostgres(settings);
    case 'kafka':
      return startKafka({ properties: settings });
  }
}
