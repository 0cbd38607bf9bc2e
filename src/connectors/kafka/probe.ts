import { silentLog } from '../../lib/log.ts';
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
import { DEFAULT_OPTIONS } from './options.ts';
import { Cluster } from './protocol/cluster.ts';
import { UnreachableBrokers } from './protocol/find-cluster.ts';
import type { Address } from './protocol/connections.ts';
import { asKafkaSettings, type KafkaSettings } from './settings.ts';

export const PROBE_STAGES: readonly StageName[] = [
  'name resolution',
  'TCP',
  'TLS',
  'login',
  'advertised brokers',
  'grants',
];

/** From the addresses of the data source to every broker that they name, and the topics that the account sees. */
export async function* probe({ settings, signal }: ProbeOptions): AsyncGenerator<Stage> {
  const kafka = asKafkaSettings(settings);
  const reached = await bootstrap(kafka, signal);
  yield* reached;
  if (reached.some(({ outcome }) => outcome === 'failed')) return;
  const { clientId, requestTimeoutMs } = DEFAULT_OPTIONS;
  let cluster: Cluster;
  try {
    cluster = await Cluster.open(kafka, { clientId, requestTimeoutMs, log: silentLog, signal });
  } catch (error) {
    if (isAdvertised(error)) {
      yield encryption(kafka);
      yield passed('login', 'a broker of the addresses answered');
      yield { ...failed('advertised brokers', error), remedy: LISTENERS };
    } else yield* loginStages(error, { usesTls: kafka.ssl !== null, tlsCode: 'Kafka.TlsFailed' });
    return;
  }
  try {
    const { version, brokers } = cluster.facts;
    const account = kafka.sasl === null ? 'without a login' : `as ${kafka.sasl.username}`;
    yield encryption(kafka);
    yield passed('login', `${version}, ${account}`);
    const advertised = await advertisedBrokers(kafka, brokers, signal);
    yield advertised;
    if (advertised.outcome === 'failed') return;
    const topics = await cluster.allTopics();
    yield passed(
      'grants',
      `the account sees ${topics.length} topics; the plan of a task asks for the right to write them`,
    );
  } catch (error) {
    yield failed('grants', error);
  } finally {
    cluster.close();
  }
}

const LISTENERS = 'Set advertised.listeners of the brokers to addresses that are reached from this machine.';

function encryption({ ssl }: KafkaSettings): Stage {
  return ssl === null ? WITHOUT_TLS : passed('TLS', `encrypted, ssl.mode is ${ssl.mode}`);
}

/** An error of opening the cluster: what the first broker said led nowhere. */
function isAdvertised(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof UnreachableBrokers) return true;
  return false;
}

/** One broker that can be reached is enough to begin with; else the first one's failure is told. */
async function bootstrap({ brokers, hosts }: KafkaSettings, signal: AbortSignal): Promise<readonly Stage[]> {
  const all = await Promise.all(brokers.map((broker) => stagesTo({ ...broker, hosts }, signal)));
  const reached = all.find((stages) => stages.every(({ outcome }) => outcome === 'passed'));
  return reached ?? all[0] ?? [];
}

/** Clients are sent on to the addresses that brokers give of themselves: each must be reached from here. */
async function advertisedBrokers(
  { hosts }: KafkaSettings,
  brokers: readonly Address[],
  signal: AbortSignal,
): Promise<Stage> {
  const all = await Promise.all(brokers.map((broker) => stagesTo({ ...broker, hosts }, signal)));
  const names = brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
  const failures = all.flatMap((stages) => stages.filter(({ outcome }) => outcome === 'failed'));
  const [first] = failures;
  if (first === undefined) return passed('advertised brokers', `all answer: ${names}`);
  return {
    stage: 'advertised brokers',
    outcome: 'failed',
    found: `the brokers say that they are at ${names}: ${failures.map(({ found }) => found).join('; ')}`,
    code: first.code,
    remedy: LISTENERS,
  };
}

async function stagesTo(
  broker: Address & { readonly hosts: KafkaSettings['hosts'] },
  signal: AbortSignal,
): Promise<readonly Stage[]> {
  const stages: Stage[] = [];
  for await (const stage of probeAddress(broker, signal)) stages.push(stage);
  return stages;
}
