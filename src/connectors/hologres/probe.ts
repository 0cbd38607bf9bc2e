import { openUnlessAborted } from '../../lib/with-open.ts';
import {
  failed,
  loginStages,
  passed,
  probeAddress,
  type ProbeOptions,
  type Stage,
  type StageName,
  WITHOUT_TLS,
} from '../../pipeline/stages.ts';
import { toPipelineError } from './errors.ts';
import { quoteName, SYSTEM_SCHEMAS } from './names.ts';
import { asHologresSettings, type HologresSettings } from './options.ts';
import { connect, type Connected, disconnect } from './server.ts';

export const PROBE_STAGES: readonly StageName[] = ['name resolution', 'TCP', 'TLS', 'login', 'grants'];

/** From the name of the server to the right to make tables there. */
export async function* probe({ settings, signal }: ProbeOptions): AsyncGenerator<Stage> {
  const hologres = asHologresSettings(settings);
  for await (const stage of probeAddress(hologres, signal)) {
    yield stage;
    if (stage.outcome === 'failed') return;
  }
  const usesTls = hologres.ssl.mode !== 'disabled';
  let connected: Connected;
  try {
    const open = () => connect(hologres);
    connected = await openUnlessAborted({ open, close: (late) => disconnect(late.client), signal });
  } catch (error) {
    yield* loginStages(error, { usesTls, tlsCode: 'Sink.TlsFailed' });
    return;
  }
  const { client, server } = connected;
  const cancel = () => disconnect(client);
  signal.addEventListener('abort', cancel);
  try {
    yield usesTls ? passed('TLS', `encrypted, ssl.mode is ${hologres.ssl.mode}`) : WITHOUT_TLS;
    yield passed('login', `${server.name}, as ${hologres.user}`);
    yield await grants(client, hologres);
  } finally {
    signal.removeEventListener('abort', cancel);
    disconnect(client);
  }
}

/** Schemas are made in the database; where all of them are there, CREATE in each is enough. */
async function grants(client: Connected['client'], { host, port, database, user }: HologresSettings): Promise<Stage> {
  try {
    const { rows } = await client.query<{ database: boolean; schemas: string[] }>(
      `SELECT has_database_privilege(current_database(), 'CREATE') AS database, array(SELECT nspname::text FROM pg_namespace
        WHERE nspname !~ '${SYSTEM_SCHEMAS}' AND has_schema_privilege(oid, 'CREATE') ORDER BY 1) AS schemas`,
    );
    const { database: mayMakeSchemas = false, schemas = [] } = rows[0] ?? {};
    if (mayMakeSchemas) return passed('grants', `the account may make schemas in the database ${database}`);
    if (schemas.length > 0) return passed('grants', `the account may make tables in ${schemas.join(', ')}`);
    return {
      stage: 'grants',
      outcome: 'failed',
      found: `the account may make neither schemas in the database ${database} nor tables in any of its schemas`,
      code: 'Sink.Denied',
      remedy: `GRANT CREATE ON DATABASE ${quoteName(database)} TO ${quoteName(user)};`,
    };
  } catch (error) {
    return failed('grants', toPipelineError(error, `asking ${host}:${port}`));
  }
}
