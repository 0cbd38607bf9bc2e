import { apiVersionsV1, apiVersionsV3, type Connection } from '@platformatic/kafka';
import { pause } from '../../../lib/retry.ts';
import { brokerErrorIdOf } from '../errors.ts';
import type { KafkaSettings } from '../settings.ts';
import { ApiRanges, END_TRANSACTION_KEY, METADATA, PRODUCE_KEY } from './api-ranges.ts';
import type { Address, Connections } from './connections.ts';
import { releaseOf } from './release.ts';

export interface Broker extends Address {
  readonly id: number;
}

/** What the brokers can do: all of them, as a cluster may be in the middle of an upgrade. */
export interface ClusterFacts {
  readonly brokers: readonly Broker[];
  /** Such as `Kafka 4.1`; of the oldest broker. */
  readonly version: string;
  /** The finalised feature transaction.version: 2 is KIP-890's second part, whose transactions are safe from late requests. */
  readonly transactionVersion: 0 | 1 | 2;
  /** The newest version of produce requests. */
  readonly produceVersion: number;
  readonly hasTransactions: boolean;
  readonly hasIdempotence: boolean;
}

/** So long a cluster is waited for as a whole when it is opened; brokers may be down. */
const MOMENT_MS = 2000;

/** A cluster as it was found. */
export interface FoundCluster {
  readonly connections: Connections;
  readonly ranges: ApiRanges;
  readonly facts: ClusterFacts;
  readonly controller: number;
}

/** A broker of the address list answered, but none of those that it names. */
export class UnreachableBrokers extends Error {
  override readonly name = 'UnreachableBrokers';

  constructor(brokers: readonly Address[], cause: unknown) {
    const names = brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
    super(`the brokers say that they are at ${names}, where none is reached:`, { cause });
  }
}

/** Asks the broker of the address list that answers first, then all that it names. */
export async function findCluster(settings: KafkaSettings, connections: Connections): Promise<FoundCluster> {
  const first = await fastest(
    settings.brokers.map(async (broker) => ({ broker, versions: await connections.use(broker, versionsOf) })),
  );
  const served = new ApiRanges(first.versions.apiKeys);
  const metadata = await connections.use(first.broker, (connection) =>
    served.choose(METADATA).async(connection, [], false),
  );
  const brokers = metadata.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port }));
  const asked = brokers.map((broker) => connections.use(broker, versionsOf));
  const others = await thoseInTime(asked).catch((error: unknown) => {
    throw new UnreachableBrokers(brokers, error);
  });
  const answers = [first.versions, ...others];
  const ranges = ApiRanges.common(answers.map(({ apiKeys }) => apiKeys));
  return { connections, ranges, controller: metadata.controllerId, facts: factsOf(brokers, ranges, answers) };
}

/** The answers of brokers that are there: of all, of those within a moment, or of the first. Errors: as `fastest`. */
async function thoseInTime<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  const answers: T[] = [];
  const moment = new AbortController();
  const all = Promise.allSettled(asked.map((one) => one.then((answer) => answers.push(answer))));
  await Promise.race([all, pause(MOMENT_MS, moment.signal)]);
  moment.abort();
  return answers.length > 0 || asked.length === 0 ? answers : [await fastest(asked)];
}

/** The first answer. Errors: that of the first who was asked, when there is no answer. */
async function fastest<T>(asked: readonly Promise<T>[]): Promise<T> {
  try {
    return await Promise.any(asked);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

type Versions = Awaited<ReturnType<typeof apiVersionsV3.api.async>>;

/** Brokers before 2.4 know no version 3 of the question. */
async function versionsOf(connection: Connection): Promise<Pick<Versions, 'apiKeys'> & Partial<Versions>> {
  try {
    return await apiVersionsV3.api.async(connection, 'disync', '1');
  } catch (error) {
    if (brokerErrorIdOf(error) !== 'UNSUPPORTED_VERSION') throw error;
    return apiVersionsV1.api.async(connection, 'disync', '1');
  }
}

function factsOf(brokers: readonly Broker[], ranges: ApiRanges, answers: readonly Partial<Versions>[]): ClusterFacts {
  const [finalised] = answers
    .toSorted((a, b) => Number((b.finalizedFeaturesEpoch ?? -1n) - (a.finalizedFeaturesEpoch ?? -1n)))
    .map(
      (answer) => answer.finalizedFeatures?.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0,
    );
  const produceVersion = ranges.most(PRODUCE_KEY);
  const level = finalised ?? 0;
  return {
    brokers,
    version: releaseOf(ranges),
    transactionVersion:
      level >= 2 && produceVersion >= 12 && ranges.most(END_TRANSACTION_KEY) >= 5 ? 2 : level >= 1 ? 1 : 0,
    produceVersion,
    hasTransactions: ranges.most(END_TRANSACTION_KEY) >= 1 && ranges.most(22) >= 1,
    hasIdempotence: ranges.most(22) >= 1,
  };
}
