import type { Client } from 'pg';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { hologresConnector } from '../../src/connectors/hologres/connector.ts';
import { parseHologresOptions } from '../../src/connectors/hologres/options.ts';
import { targetOf } from '../../src/connectors/hologres/plan-targets.ts';
import { quoteName, quoteTarget } from '../../src/connectors/hologres/names.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import { silentLog } from '../../src/lib/log.ts';
import { startPrivatePostgres, type PrivatePostgres } from './private-postgres.ts';
import type { SinkUnderTest } from './sink-contract.ts';
import { MemoryJournals } from './memory-journals.ts';

/** What makes a PostgreSQL answer as Hologres does where our sink asks: its version, and its table properties. */
export const HOLOGRES_FUNCTIONS = `
  CREATE FUNCTION hg_version() RETURNS text LANGUAGE sql AS $$ SELECT 'Hologres 3.0.1 (stand-in)' $$;
  CREATE TABLE public.table_properties (name text, property text, value text);
  CREATE PROCEDURE set_table_property(name text, property text, value text) LANGUAGE sql
    AS $$ INSERT INTO public.table_properties VALUES (name, property, value) $$`;

export interface HologresUnderTest extends SinkUnderTest {
  readonly postgres: PrivatePostgres;
  /** A connection of the test's own. */
  readonly client: Client;
  readonly settings: Json;
}

export interface HologresUnderTestOptions {
  /** The writer's options, such as `{ writePath: 'fixed' }`. */
  readonly options: JsonObject;
  /** Answers as Hologres: no transactions, no checkpoint in the sink. */
  readonly asHologres?: boolean;
  readonly serverSettings?: Readonly<Record<string, string>>;
}

/** The Hologres sink over a PostgreSQL of its own, for tests. */
export async function startHologresUnderTest({
  options,
  asHologres = false,
  serverSettings = {},
}: HologresUnderTestOptions): Promise<HologresUnderTest> {
  const postgres = await startPrivatePostgres({ fsync: 'off', ...serverSettings });
  const client = await postgres.connect();
  if (asHologres) await client.query(HOLOGRES_FUNCTIONS);
  const settings = hologresConnector.parseSettings(postgres.content('postgres'), DEFAULT_HOST_POLICY);
  const parsed = hologresConnector.parseOptions(options);
  return {
    postgres,
    client,
    settings,
    open: (owner, policies) =>
      hologresConnector.open({
        settings,
        options: parsed,
        sourceName: 'shop_mysql',
        owner,
        policies,
        memoryBytes: 128 << 20,
        journal: new MemoryJournals().of(owner),
        log: silentLog,
      }),
    target: (table) => targetOf(table, 'shop_mysql', parseHologresOptions(options)),
    async read(target, columns) {
      const values = columns.map((name, index) => `${quoteName(name)}::text AS c${index}`).join(', ');
      const order = columns.map((_, index) => index + 1).join(', ');
      const { rows } = await client.query<Record<string, string | null>>(
        `SELECT ${values} FROM ${quoteTarget(target)} ORDER BY ${order}`,
      );
      return rows.map((row) => columns.map((_, index) => row[`c${index}`] ?? null));
    },
    async remove(target) {
      await client.query(`DROP TABLE ${quoteTarget(target)}`);
    },
    async cut() {
      await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'disync'");
    },
    forget: ({ installation, task }) => hologresConnector.forget({ settings, installation, task }),
    async stop() {
      await client.end();
      await postgres.stop();
    },
  };
}
