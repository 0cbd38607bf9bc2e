import type { Connection } from 'mysql2/promise';
import pg from 'pg';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { compareTable } from './compare.ts';
import type { Checked, FarEnd, Sink } from './far-end.ts';
import { LagProbe } from './lag-probe.ts';
import { DATABASE, type ShopTable } from './shop.ts';

/** A PostgreSQL, which stands in for Hologres. */
export class HologresEnd implements FarEnd {
  readonly server: Server;
  readonly counted = 'rows';
  readonly proven = 'all rows are equal';
  readonly #looker: pg.Client;
  readonly #prober: pg.Client;

  private constructor(server: Server, looker: pg.Client, prober: pg.Client) {
    this.server = server;
    this.#looker = looker;
    this.#prober = prober;
  }

  static async start(): Promise<HologresEnd> {
    const server = await startServer('postgres');
    return new HologresEnd(server, await connect(server), await connect(server));
  }

  get sink(): Sink {
    const { port, user, password } = this.server;
    return {
      type: 'holo',
      dataSource: 'bi_holo',
      content: { endpoint: `127.0.0.1:${port}`, database: 'postgres', accessId: user, accessKey: password },
      options: {},
    };
  }

  async count(table: ShopTable): Promise<number> {
    const { rows } = await this.#looker.query(`SELECT count(*)::int AS n FROM "${DATABASE}"."${table}"`);
    return (rows[0] as { n: number }).n;
  }

  watchLag(): LagProbe {
    const probe = new LagProbe(this.#prober);
    probe.start();
    return probe;
  }

  async check(source: Connection, table: ShopTable): Promise<Checked> {
    const { rows, differences } = await compareTable(source, this.#looker, DATABASE, table);
    return { table, figures: { rows, differences }, isGood: differences === 0 };
  }

  show(): void {}

  get commands(): readonly string[] {
    const { port, user, password } = this.server;
    return [`PGPASSWORD=${password} psql -h 127.0.0.1 -p ${port} -U ${user} postgres`];
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#looker.end(), this.#prober.end()]);
    await this.server.stop();
  }
}

async function connect({ port, user, password }: Server): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await client.connect();
  return client;
}
