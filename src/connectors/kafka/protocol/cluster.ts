import type { Logger } from '../../../lib/log.ts';
import { BackOff, pause } from '../../../lib/retry.ts';
import { type About, brokerRefusal, KafkaError, toKafkaError } from '../errors.ts';
import type { KafkaSettings } from '../settings.ts';
import { type Api, ApiRanges, CREATE_TOPICS, DESCRIBE_CONFIGS, FIND_COORDINATOR, METADATA } from './api-ranges.ts';
import { type Address, Connections } from './connections.ts';
import { type Broker, type ClusterFacts, findCluster, type FoundCluster } from './find-cluster.ts';

export interface ClusterOptions {
  readonly clientId: string;
  /** How long a broker may take for an answer. */
  readonly requestTimeoutMs: number;
  readonly log: Logger;
  /** Ends whatever is waited for, and closes. */
  readonly signal: AbortSignal;
}

export interface Topic {
  readonly partitions: number;
  /** The leader of each partition; -1 while there is none. */
  readonly leaders: readonly number[];
  readonly replication: number;
  /** Another one after the topic was deleted and made anew; all zeros where brokers give none (before 2.8). */
  readonly id: string;
}

export interface NewTopic {
  readonly name: string;
  /** -1: as the brokers are set. */
  readonly partitions: number;
  readonly replication: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** Null where the account may not read it. */
export interface TopicConfigs {
  readonly maxMessageBytes: number | null;
  readonly cleanupPolicy: string | null;
  readonly minInsyncReplicas: number | null;
  readonly retentionMs: number | null;
}

export interface BrokerConfigs {
  readonly transactionMaxTimeoutMs: number | null;
  readonly messageMaxBytes: number | null;
  readonly autoCreateTopics: boolean | null;
  /** What a new topic gets that asks for -1. */
  readonly partitions: number | null;
  readonly replication: number | null;
}

const RESOURCE_TOPIC = 2 as const;
const RESOURCE_BROKER = 4 as const;
const UNKNOWN_TOPIC = 3;
const TOPIC_EXISTS = 36;
/** How long a refusal is repeated that says "try again", such as a leader that is being elected. */
const PATIENCE_MS = 30_000;

/**
 * A cluster of brokers: what it is, what topics it has, and who leads them.
 * Errors: KafkaError, transient, fatal, or about one topic; the abort reason after `signal`.
 */
export class Cluster {
  readonly settings: KafkaSettings;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly options: ClusterOptions;
  readonly ranges: ApiRanges;
  readonly facts: ClusterFacts;

  readonly #connections: Connections;
  readonly #close: () => void;
  #brokers: ReadonlyMap<number, Broker>;
  #controller: number;
  #answered: Address | null = null;
  #topics = new Map<string, Topic>();

  private constructor(settings: KafkaSettings, options: ClusterOptions, found: FoundCluster) {
    this.settings = settings;
    this.options = options;
    this.log = options.log;
    this.signal = options.signal;
    this.ranges = found.ranges;
    this.facts = found.facts;
    this.#connections = found.connections;
    this.#brokers = new Map(found.facts.brokers.map((broker) => [broker.id, broker]));
    this.#controller = found.controller;
    this.#close = () => this.#connections.close();
    options.signal.addEventListener('abort', this.#close);
  }

  static async open(settings: KafkaSettings, options: ClusterOptions): Promise<Cluster> {
    options.signal.throwIfAborted();
    const connections = new Connections(settings, {
      clientId: options.clientId,
      requestTimeoutMs: options.requestTimeoutMs,
      inFlightMax: 5,
    });
    const abort = () => connections.close();
    options.signal.addEventListener('abort', abort);
    try {
      return new Cluster(settings, options, await findCluster(settings, connections));
    } catch (error) {
      connections.close();
      options.signal.throwIfAborted();
      throw toKafkaError(error, {
        doing: `connecting to Kafka at ${settings.brokers.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
        ifCut: 'as by brokers that want another securityProtocol, or are none',
      });
    } finally {
      options.signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Those of `names` that exist; none is made by asking. One that was there before, or that is `expected`, is missing only
   * when it stays so: a broker beside a ZooKeeper that has just started answers before it has heard of its topics.
   */
  async topics(names: readonly string[], expected: ReadonlySet<string> = new Set()): Promise<Map<string, Topic>> {
    const awaited = names.filter((name) => expected.has(name) || this.#topics.has(name));
    const until = performance.now() + (this.#hasZookeeper ? ABSENT_BESIDE_ZOOKEEPER_MS : ABSENT_MS);
    for (;;) {
      const found = await this.patiently(() => this.#askForTopics(names));
      if (awaited.every((name) => found.has(name)) || performance.now() >= until) {
        for (const name of names) this.#topics.delete(name);
        for (const [name, topic] of found) this.#topics.set(name, topic);
        return found;
      }
      await pause(ASK_AGAIN_MS, this.signal);
    }
  }

  /** The same as far as the account may see and write: why it may not is told for each topic. */
  async describeTopics(
    names: readonly string[],
  ): Promise<{ readonly found: Map<string, Topic>; readonly refused: Map<string, KafkaError> }> {
    const refused = new Map<string, KafkaError>();
    const found = await this.patiently(() => {
      refused.clear();
      return this.#askForTopics(names, refused);
    });
    return { found, refused };
  }

  /** Names of all topics that the account sees and that are not the brokers' own, sorted. */
  async allTopics(): Promise<readonly string[]> {
    const about = { doing: 'asking for topics' };
    const { topics } = await this.patiently(() => this.#askAny(METADATA, about, null, false));
    const names = topics.flatMap(({ name, errorCode, isInternal }) => {
      return errorCode !== 0 || isInternal || name === null || name === undefined ? [] : [name];
    });
    return names.sort();
  }

  /** The broker that leads a partition, as last heard; null when none is known: ask for `topics` again. */
  leaderOf(topic: string, partition: number): Broker | null {
    const leader = this.#topics.get(topic)?.leaders[partition];
    return leader === undefined ? null : (this.#brokers.get(leader) ?? null);
  }

  async topicConfigs(names: readonly string[]): Promise<Map<string, TopicConfigs>> {
    const keys = ['max.message.bytes', 'cleanup.policy', 'min.insync.replicas', 'retention.ms'];
    const answer = await this.#askAny(
      DESCRIBE_CONFIGS,
      { doing: 'reading the settings of topics' },
      names.map((name) => ({ resourceType: RESOURCE_TOPIC, resourceName: name, configurationKeys: keys })),
    );
    const found = new Map<string, TopicConfigs>();
    for (const { errorCode, resourceName, configs } of answer.results) {
      if (errorCode === UNKNOWN_TOPIC) continue;
      const values = new Map(configs.map(({ name, value }) => [name, value ?? null]));
      found.set(resourceName, {
        maxMessageBytes: numberIn(values, 'max.message.bytes'),
        cleanupPolicy: values.get('cleanup.policy') ?? null,
        minInsyncReplicas: numberIn(values, 'min.insync.replicas'),
        retentionMs: numberIn(values, 'retention.ms'),
      });
    }
    return found;
  }

  async brokerConfigs(): Promise<BrokerConfigs> {
    const keys = [
      'transaction.max.timeout.ms',
      'message.max.bytes',
      'auto.create.topics.enable',
      'num.partitions',
      'default.replication.factor',
    ];
    const about = { doing: 'reading the settings of a broker' };
    const answer = await this.#tryAll([...this.#brokers.values()], about, (broker) => {
      const question = [{ resourceType: RESOURCE_BROKER, resourceName: String(broker.id), configurationKeys: keys }];
      return this.ask(broker, DESCRIBE_CONFIGS, about, question);
    });
    const values = new Map(
      answer.results.flatMap(({ configs }) => configs.map((one) => [one.name, one.value ?? null])),
    );
    const autoCreate = values.get('auto.create.topics.enable') ?? null;
    return {
      transactionMaxTimeoutMs: numberIn(values, 'transaction.max.timeout.ms'),
      messageMaxBytes: numberIn(values, 'message.max.bytes'),
      autoCreateTopics: autoCreate === null ? null : autoCreate === 'true',
      partitions: numberIn(values, 'num.partitions'),
      replication: numberIn(values, 'default.replication.factor'),
    };
  }

  /** Makes those that do not exist, and waits until each partition has a leader. */
  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    const doing = 'creating topics';
    for (const some of inRequests(topics)) {
      await this.patiently(async () => {
        const [refusal] = (await this.#createTopics(some, { doing, validateOnly: false })).values();
        if (refusal !== undefined) throw refusal;
      });
    }
    await this.patiently(async () => {
      const found = await this.topics(topics.map(({ name }) => name));
      for (const { name } of topics) {
        const leaders = found.get(name)?.leaders ?? [];
        if (leaders.length === 0 || leaders.includes(-1))
          throw brokerRefusal(LEADER_NOT_AVAILABLE, { doing, topic: name });
      }
    });
  }

  /** Why the brokers would not make a topic, for each that they would not; makes none. */
  async refusedTopics(topics: readonly NewTopic[]): Promise<ReadonlyMap<string, KafkaError>> {
    const doing = 'trying to create topics';
    const refused = new Map<string, KafkaError>();
    for (const some of inRequests(topics)) {
      const found = await this.patiently(() => this.#createTopics(some, { doing, validateOnly: true }));
      for (const [name, refusal] of found) refused.set(name, refusal);
    }
    return refused;
  }

  async #createTopics(
    topics: readonly NewTopic[],
    { doing, validateOnly }: { readonly doing: string; readonly validateOnly: boolean },
  ): Promise<ReadonlyMap<string, KafkaError>> {
    const usual = this.ranges.most(CREATE_TOPICS_KEY) < CREATE_TOPICS_BY_DEFAULT ? await this.brokerConfigs() : null;
    const wanted = topics.map(({ name, partitions, replication, configs }) => ({
      name,
      numPartitions: partitions === -1 ? (usual?.partitions ?? -1) : partitions,
      replicationFactor: replication === -1 ? (usual?.replication ?? -1) : replication,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }));
    const timeoutMs = Math.round(this.options.requestTimeoutMs * 0.8);
    const controller = this.#brokers.get(this.#controller) ?? this.#anyBroker();
    const answer = await this.ask(controller, CREATE_TOPICS, { doing }, wanted, timeoutMs, validateOnly);
    const refused = new Map<string, KafkaError>();
    for (const { name, errorCode, errorMessage } of answer.topics) {
      if (errorCode === 0 || errorCode === TOPIC_EXISTS) continue;
      const refusal = brokerRefusal(errorCode, { doing, topic: name }, errorMessage ?? null);
      if (refusal.refusal === 'retry') {
        await this.topics([]);
        throw refusal;
      }
      refused.set(name, refusal);
    }
    return refused;
  }

  /** The broker that coordinates a transactional id. */
  async coordinator(transactionalId: string): Promise<Address> {
    const about = { doing: 'looking for the transaction coordinator' };
    const answer = await this.patiently(() => this.#askAny(FIND_COORDINATOR, about, 1, [transactionalId]));
    const [found] = answer.coordinators;
    if (found === undefined)
      throw new KafkaError('transient', 'Sink.Unavailable', { message: about.doing, refusal: 'retry' });
    return { host: found.host, port: found.port };
  }

  /** A broker that can be reached just now. */
  any(): Promise<Address> {
    return this.#tryBrokers({ doing: 'looking for a broker' }, async (broker) => {
      return this.#connections.use(broker, () => Promise.resolve(broker));
    });
  }

  /** Asks one broker. An answer that has errors for single topics is returned, not thrown. */
  async ask<Question extends readonly unknown[], Answer>(
    broker: Address,
    versions: readonly Api<Question, Answer>[],
    about: About,
    ...question: Question
  ): Promise<Answer> {
    const api = this.ranges.choose(versions);
    try {
      return await this.#connections.use(broker, (connection) => api.async(connection, ...question));
    } catch (error) {
      this.signal.throwIfAborted();
      const answer = (error as { response?: Answer | undefined }).response;
      if (answer !== undefined && PARTIAL.has(api.key)) return answer;
      throw toKafkaError(error, about);
    }
  }

  /** Repeats what the brokers refuse for the moment, for a while. */
  async patiently<T>(attempt: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
    const until = performance.now() + patienceMs;
    const backOff = new BackOff(2, 500);
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof KafkaError && error.refusal === 'retry') || performance.now() > until) throw error;
        await pause(backOff.next(), this.signal);
        this.signal.throwIfAborted();
      }
    }
  }

  /** Never waits for a broker. */
  close(): void {
    this.signal.removeEventListener('abort', this.#close);
    this.#close();
  }

  #askAny<Question extends readonly unknown[], Answer>(
    versions: readonly Api<Question, Answer>[],
    about: About,
    ...question: Question
  ): Promise<Answer> {
    return this.#tryBrokers(about, (broker) => this.ask(broker, versions, about, ...question));
  }

  get #hasZookeeper(): boolean {
    return this.ranges.most(DESCRIBE_QUORUM_KEY) === -1;
  }

  /** Topics that the account may not see or write go into `refused`, where there is one. */
  async #askForTopics(
    names: readonly string[],
    refused: Map<string, KafkaError> | null = null,
  ): Promise<Map<string, Topic>> {
    const about = { doing: 'asking for topics' };
    const answer = await this.#askAny(METADATA, about, [...names], false, refused !== null);
    // It has heard of nothing yet, not even of itself.
    if (answer.brokers.length === 0) throw brokerRefusal(LEADER_NOT_AVAILABLE, about);
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { id: nodeId, host, port }]));
    this.#controller = answer.controllerId;
    const found = new Map<string, Topic>();
    for (const { errorCode, name, topicId, partitions, topicAuthorizedOperations } of answer.topics) {
      if (name === null || name === undefined || errorCode === UNKNOWN_TOPIC) continue;
      if (errorCode !== 0) {
        const refusal = brokerRefusal(errorCode, { ...about, topic: name });
        // A topic that is just being made may have no partitions yet.
        if (refusal.refusal === 'retry' ? partitions.length === 0 : refused === null) throw refusal;
        if (refusal.refusal !== 'retry') {
          refused?.set(name, refusal);
          continue;
        }
      }
      if (refused !== null && mayOnlyLook(topicAuthorizedOperations)) {
        refused.set(name, brokerRefusal(TOPIC_DENIED, { doing: 'asking for the right to write', topic: name }));
        continue;
      }
      const leaders = Array.from({ length: partitions.length }, () => -1);
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      const replication = partitions[0]?.replicaNodes.length ?? 0;
      found.set(name, { partitions: partitions.length, leaders, replication, id: topicId });
    }
    return found;
  }

  /** Any broker will do: the one that answered last, else the first that can be reached. */
  async #tryBrokers<T>(about: About, attempt: (broker: Address) => Promise<T>): Promise<T> {
    const known = [...this.#brokers.values(), ...this.settings.brokers];
    const order = this.#answered === null ? known : [this.#answered, ...known];
    const different = [...new Map(order.map((address) => [`${address.host}:${address.port}`, address])).values()];
    // Its connection may have broken unnoticed: it is made anew.
    return this.#tryAll([...different, ...different.slice(0, 1)], about, async (broker) => {
      const result = await attempt(broker);
      this.#answered = broker;
      return result;
    });
  }

  async #tryAll<One extends Address, T>(
    brokers: readonly One[],
    about: About,
    attempt: (broker: One) => Promise<T>,
  ): Promise<T> {
    let last: unknown = new Error('no broker is known');
    for (const broker of brokers) {
      try {
        return await attempt(broker);
      } catch (error) {
        if (!(error instanceof KafkaError && error.refusal === 'unavailable')) throw error;
        last = error;
      }
    }
    throw toKafkaError(last, about);
  }

  #anyBroker(): Address {
    const [first] = [...this.#brokers.values(), ...this.settings.brokers];
    if (first === undefined) throw new Error('no broker is known');
    return first;
  }
}

/** How long a topic must be missing that is awaited. */
const ABSENT_MS = 1000;
const ABSENT_BESIDE_ZOOKEEPER_MS = 10_000;
const ASK_AGAIN_MS = 200;
/** Brokers without a ZooKeeper know it. */
const DESCRIBE_QUORUM_KEY = 55;
const LEADER_NOT_AVAILABLE = 5;
const REQUEST_PARTITIONS_MAX = 8000;
const PARTITIONS_GUESSED = 50;
const TOPIC_DENIED = 29;
/** Operations, as ACLs number them. */
const WRITE = 1 << 4;
const DESCRIBE = 1 << 8;
const CREATE_TOPICS_KEY = 19;
/** Brokers before 2.4 (version 4) do not know what -1 means. */
const CREATE_TOPICS_BY_DEFAULT = 4;
/** Requests whose answers have an error for each topic or resource: metadata, create topics, add partitions, describe configs. */
const PARTIAL = new Set([3, 19, 24, 32]);

/** Controllers take 10,000 partitions in one request, and refuse all of its topics beyond; -1 is as many as the brokers are set to. */
function* inRequests(topics: readonly NewTopic[]): Generator<readonly NewTopic[]> {
  let some: NewTopic[] = [];
  let partitions = 0;
  for (const topic of topics) {
    const more = topic.partitions === -1 ? PARTITIONS_GUESSED : topic.partitions;
    if (some.length > 0 && partitions + more > REQUEST_PARTITIONS_MAX) {
      yield some;
      some = [];
      partitions = 0;
    }
    some.push(topic);
    partitions += more;
  }
  if (some.length > 0) yield some;
}

/** Brokers without rights say 0, or nothing; whoever may describe a topic is told the rest. */
function mayOnlyLook(operations: number): boolean {
  return operations > 0 && (operations & DESCRIBE) !== 0 && (operations & WRITE) === 0;
}

function numberIn(values: ReadonlyMap<string, string | null>, name: string): number | null {
  const value = values.get(name) ?? null;
  return value === null ? null : Number(value);
}
