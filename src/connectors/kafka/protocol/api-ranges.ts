import {
  addPartitionsToTxnV1,
  addPartitionsToTxnV3,
  type Connection,
  createTopicsV3,
  createTopicsV5,
  createTopicsV7,
  describeConfigsV2,
  describeConfigsV4,
  fetchV10,
  fetchV11,
  fetchV12,
  findCoordinatorV2,
  findCoordinatorV4,
  initProducerIdV1,
  initProducerIdV3,
  initProducerIdV4,
  initProducerIdV5,
  listOffsetsV5,
  metadataV7,
  metadataV9,
  metadataV12,
  type RecordsBatch,
} from '@platformatic/kafka';
import { KafkaError } from '../errors.ts';

/** One version of one request, with its answer. */
export interface Api<Question extends readonly unknown[], Answer> {
  readonly key: number;
  readonly version: number;
  readonly async: (connection: Connection, ...question: Question) => Promise<Answer>;
}

/** The versions of one request that are spoken here, newest first. */
type Versions<Question extends readonly unknown[], Answer> = readonly Api<Question, Answer>[];

interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly controllerId: number;
  readonly topics: readonly {
    readonly errorCode: number;
    readonly name?: string | null | undefined;
    /** The brokers' own. */
    readonly isInternal: boolean;
    /** All zeros before version 10. */
    readonly topicId: string;
    /** A bit for each operation that the account may do, as ACLs number them; the lowest integer when not asked, or unknown. */
    readonly topicAuthorizedOperations: number;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly leaderId: number;
      readonly replicaNodes: readonly number[];
    }[];
  }[];
}

export interface NewTopicRequest {
  name: string;
  numPartitions: number;
  replicationFactor: number;
  assignments: never[];
  configs: { name: string; value: string }[];
}

interface CreateTopicsAnswer {
  readonly topics: readonly {
    readonly name: string;
    readonly errorCode: number;
    readonly errorMessage?: string | null | undefined;
  }[];
}

interface DescribeConfigsAnswer {
  readonly results: readonly {
    readonly errorCode: number;
    readonly resourceName: string;
    readonly configs: readonly { readonly name: string; readonly value?: string | null | undefined }[];
  }[];
}

interface FindCoordinatorAnswer {
  readonly coordinators: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
}

interface ProducerIdAnswer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

interface AddPartitionsQuestion {
  transactionalId: string;
  producerId: bigint;
  producerEpoch: number;
  verifyOnly: boolean;
  topics: { name: string; partitions: number[] }[];
}

interface AddPartitionsAnswer {
  readonly resultsByTransaction: readonly {
    readonly topicResults: readonly {
      readonly name: string;
      readonly resultsByPartition: readonly { readonly partitionErrorCode: number }[];
    }[];
  }[];
}

interface ListOffsetsAnswer {
  readonly topics: readonly { readonly partitions: readonly { readonly offset: bigint }[] }[];
}

interface FetchQuestion {
  topicId: string;
  partitions: {
    partition: number;
    currentLeaderEpoch: number;
    fetchOffset: bigint;
    lastFetchedEpoch: number;
    partitionMaxBytes: number;
  }[];
}

interface FetchAnswer {
  readonly throttleTimeMs: number;
  /** Empty when the broker throttles. */
  readonly responses: readonly {
    readonly partitions: readonly { readonly records?: readonly RecordsBatch[] | null | undefined }[];
  }[];
}

export const METADATA: Versions<[topics: string[] | null, autoCreate: boolean, rights?: boolean], MetadataAnswer> = [
  metadataV12.api,
  metadataV9.api,
  metadataV7.api,
];
export const CREATE_TOPICS: Versions<
  [topics: NewTopicRequest[], timeoutMs: number, validateOnly: boolean],
  CreateTopicsAnswer
> = [createTopicsV7.api, createTopicsV5.api, createTopicsV3.api];
export const DESCRIBE_CONFIGS: Versions<
  [resources: { resourceType: 2 | 4; resourceName: string; configurationKeys: string[] }[]],
  DescribeConfigsAnswer
> = [describeConfigsV4.api, describeConfigsV2.api];
export const FIND_COORDINATOR: Versions<[keyType: 0 | 1, keys: string[]], FindCoordinatorAnswer> = [
  findCoordinatorV4.api,
  findCoordinatorV2.api,
];
export const INIT_PRODUCER_ID: Versions<
  [transactionalId: string | null, transactionTimeoutMs: number],
  ProducerIdAnswer
> = [initProducerIdV5.api, initProducerIdV4.api, initProducerIdV3.api, initProducerIdV1.api];
export const ADD_PARTITIONS: Versions<[transactions: AddPartitionsQuestion[]], AddPartitionsAnswer> = [
  addPartitionsToTxnV3.api,
  addPartitionsToTxnV1.api,
];
export const LIST_OFFSETS: Versions<
  [
    replica: number,
    isolation: 0 | 1,
    topics: {
      name: string;
      partitions: { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[];
    }[],
  ],
  ListOffsetsAnswer
> = [listOffsetsV5.api];
/** By name; from version 13 on, a topic goes by its id. */
export const FETCH: Versions<
  [
    maxWaitMs: number,
    minBytes: number,
    maxBytes: number,
    isolation: 0 | 1,
    sessionId: number,
    sessionEpoch: number,
    topics: FetchQuestion[],
    forgotten: never[],
    rack: string,
  ],
  FetchAnswer
> = [fetchV12.api, fetchV11.api, fetchV10.api];

/** Keys of the requests that are built here and not by the library. */
export const PRODUCE_KEY = 0;
export const END_TRANSACTION_KEY = 26;

/** What versions of each request a broker serves. */
export class ApiRanges {
  readonly #ranges: ReadonlyMap<number, { readonly least: number; readonly most: number }>;

  constructor(keys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[]) {
    this.#ranges = new Map(keys.map((key) => [key.apiKey, { least: key.minVersion, most: key.maxVersion }]));
  }

  /** What all of several brokers serve. */
  static common(
    brokers: readonly (readonly {
      readonly apiKey: number;
      readonly minVersion: number;
      readonly maxVersion: number;
    }[])[],
  ): ApiRanges {
    const [first = [], ...others] = brokers.map((keys) => new Map(keys.map((key) => [key.apiKey, key])));
    const shared = [...first.values()].flatMap(({ apiKey, minVersion, maxVersion }) => {
      const theirs = others.map((keys) => keys.get(apiKey));
      if (theirs.some((key) => key === undefined)) return [];
      const least = Math.max(minVersion, ...theirs.map((key) => key?.minVersion ?? 0));
      const most = Math.min(maxVersion, ...theirs.map((key) => key?.maxVersion ?? 0));
      return [{ apiKey, minVersion: least, maxVersion: most }];
    });
    return new ApiRanges(shared);
  }

  /** The newest version served; -1 when the broker does not know the request. */
  most(key: number): number {
    return this.#ranges.get(key)?.most ?? -1;
  }

  /** The newest of `versions` that the broker serves too. Errors: KafkaError `Kafka.Unsupported`. */
  choose<One extends { readonly key: number; readonly version: number }>(versions: readonly One[]): One {
    const chosen = versions.find((one) => this.serves(one));
    if (chosen !== undefined) return chosen;
    const [newest] = versions;
    throw new KafkaError('fatal', 'Kafka.Unsupported', {
      message: `the broker serves no version of request ${String(newest?.key)} that disync speaks`,
      refusal: 'unsupported',
      hint: 'Brokers from 2.2 on are served; docs/kafka.md says what works with which.',
    });
  }

  serves({ key, version }: { readonly key: number; readonly version: number }): boolean {
    const range = this.#ranges.get(key);
    return range !== undefined && version >= range.least && version <= range.most;
  }
}
