import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { GtidPosition } from '../../src/connectors/mysql/offset/gtid-position.ts';
import { GtidSet } from '../../src/connectors/mysql/offset/gtid-set.ts';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { type Family, mysqlClient } from './servers.ts';

/** A server, and one that follows it by GTID with a log of its own. */
export class ReplicaPair {
  readonly family: Family;
  readonly primary: Server;
  readonly replica: Server;
  /** Connections of an administrator. */
  readonly atPrimary: Connection;
  readonly atReplica: Connection;

  private constructor(family: Family, servers: readonly [Server, Server], clients: readonly [Connection, Connection]) {
    this.family = family;
    [this.primary, this.replica] = servers;
    [this.atPrimary, this.atReplica] = clients;
  }

  /** `settings` are the replica's. */
  static async start(family: Family, settings: Readonly<Record<string, string>> = {}): Promise<ReplicaPair> {
    const logged = family === 'mariadb' ? { log_slave_updates: '1' } : {};
    const servers = await Promise.all([
      startServer(family),
      startServer(family, { server_id: '2', ...logged, ...settings }),
    ]);
    const clients = await Promise.all([mysqlClient(servers[0]), mysqlClient(servers[1])]);
    const pair = new ReplicaPair(family, servers, clients);
    const { port, user, password } = pair.primary;
    await pair.atReplica.query(
      family === 'mysql'
        ? `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${port}, SOURCE_USER = '${user}',
           SOURCE_PASSWORD = '${password}', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`
        : `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = '${user}',
           MASTER_PASSWORD = '${password}', MASTER_USE_GTID = slave_pos`,
    );
    await pair.follow();
    return pair;
  }

  /** The replica follows on. */
  async follow(): Promise<void> {
    await this.atReplica.query(this.family === 'mysql' ? 'START REPLICA' : 'START SLAVE');
  }

  /** The replica stays where it is, and can be written to as a primary. */
  async part(): Promise<void> {
    await this.atReplica.query(this.family === 'mysql' ? 'STOP REPLICA' : 'STOP SLAVE');
  }

  /** Waits until the replica has all that the primary has now. Errors: Error after 30 s. */
  async level(): Promise<void> {
    const ids = async (client: Connection) => {
      const variable = this.family === 'mysql' ? '@@global.gtid_executed' : '@@global.gtid_binlog_pos';
      const [rows] = await client.query({ sql: `SELECT ${variable}`, rowsAsArray: true });
      return String((rows as string[][])[0]?.[0]);
    };
    const wanted = await ids(this.atPrimary);
    const isThere = (found: string) =>
      this.family === 'mysql'
        ? GtidSet.parse(found).contains(GtidSet.parse(wanted))
        : GtidPosition.parse(wanted).missingIn(GtidPosition.parse(found)).length === 0;
    for (const deadline = Date.now() + 30_000; !isThere(await ids(this.atReplica)); await sleep(20))
      if (Date.now() > deadline) throw new Error(`the replica did not come to ${wanted}`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.atPrimary.end(), this.atReplica.end()]);
    await Promise.all([this.primary.stop(), this.replica.stop()]);
  }
}
