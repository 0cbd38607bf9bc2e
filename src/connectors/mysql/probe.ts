import { openUnlessAborted } from '../../lib/with-open.ts';
import type { Finding } from '../../pipeline/connector.ts';
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
import { tryServer } from './checks.ts';
import { fine, grantStatement, problem } from './checks/finding.ts';
import { checkLoad, checkReplica, checkStatusRight } from './checks/rights.ts';
import { checkSettings } from './checks/settings.ts';
import { connectForQueries, type Questions } from './connect.ts';
import { toPipelineError } from './errors.ts';
import { asMysqlSettings, type MysqlSettings } from './options.ts';
import { quoteName } from './quote.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';

export const PROBE_STAGES: readonly StageName[] = [
  'name resolution',
  'TCP',
  'TLS',
  'login',
  'grants',
  'binlog settings',
];

/** From the name of the server to what the reader of its log needs. */
export async function* probe({ settings, signal }: ProbeOptions): AsyncGenerator<Stage> {
  const mysql = asMysqlSettings(settings);
  for await (const stage of probeAddress(mysql, signal)) {
    yield stage;
    if (stage.outcome === 'failed') return;
  }
  const usesTls = mysql.ssl.mode !== 'disabled';
  let connection: Questions;
  let facts: ServerFacts;
  try {
    const open = () => connectForQueries(mysql);
    connection = await openUnlessAborted({ open, close: (late) => late.close(), signal });
  } catch (error) {
    yield* loginStages(error, { usesTls, tlsCode: 'MySQL.TlsFailed' });
    return;
  }
  const cancel = () => connection.close();
  signal.addEventListener('abort', cancel);
  try {
    yield usesTls ? passed('TLS', `encrypted, ssl.mode is ${mysql.ssl.mode}`) : WITHOUT_TLS;
    facts = await readServerFacts(connection);
    yield passed('login', `${facts.title}, as ${facts.account}`);
    yield await inStage('grants', mysql, () => grants(connection, facts, mysql, signal));
    yield await inStage('binlog settings', mysql, async () => [
      ...checkSettings(facts),
      await checkReplica(connection, facts),
      checkLoad(facts),
    ]);
  } catch (error) {
    yield failed('login', toPipelineError(error, `asking ${mysql.host}:${mysql.port}`));
  } finally {
    signal.removeEventListener('abort', cancel);
    connection.close();
  }
}

async function inStage(
  stage: StageName,
  { host, port }: MysqlSettings,
  look: () => Promise<readonly Finding[]>,
): Promise<Stage> {
  try {
    return stageOf(stage, await look());
  } catch (error) {
    return failed(stage, toPipelineError(error, `asking ${host}:${port}`));
  }
}

/** Findings of a stage, as one: failed by its problems; what only has a price is told beside it. */
function stageOf(stage: StageName, findings: readonly Finding[]): Stage {
  const problems = findings.filter(({ level }) => level === 'problem');
  const told = problems.length > 0 ? problems : findings;
  const found = told.map((one) => (one.level === 'fine' ? one.found : `${one.found}: ${one.consequence}`)).join('; ');
  const remedy = told.flatMap((one) => (one.remedy === '' ? [] : [one.remedy])).join(' ');
  const [first] = problems;
  return { stage, outcome: first === undefined ? 'passed' : 'failed', found, code: first?.code ?? null, remedy };
}

async function grants(
  connection: Questions,
  facts: ServerFacts,
  settings: MysqlSettings,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { database } = settings;
  return [
    ...(database === null ? [] : [await checkVisible(connection, facts, database)]),
    ...(facts.logBin
      ? [
          ...(await checkStatusRight(connection, facts, database === null ? [] : [database])),
          ...(await tryServer(connection, facts, settings, signal)),
        ]
      : []),
  ];
}

/** Servers show databases only to those who may do something in them. */
async function checkVisible(connection: Questions, facts: ServerFacts, database: string): Promise<Finding> {
  const seen = await connection.query(
    'SELECT 1 FROM information_schema.schemata WHERE SCHEMA_NAME = ? OR (@@lower_case_table_names <> 0 AND LOWER(SCHEMA_NAME) = LOWER(?))',
    [database, database],
  );
  if (seen.length > 0) return fine('database', `the account sees the database ${database}`);
  return problem('MySQL.Denied', 'database', {
    found: `there is no database ${database}, or the account may do nothing in it`,
    consequence: 'its tables cannot be read',
    remedy: grantStatement(facts, 'SELECT', `${quoteName(database)}.*`),
  });
}
