import type { Logger } from '../../lib/log.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { WrittenTopic } from './checkpoint-topic.ts';
import { KafkaError } from './errors.ts';
import type { KafkaOptions } from './options.ts';
import type { Cluster, NewTopic, Topic } from './protocol/cluster.ts';

/** What brokers take where nobody says otherwise. */
const DEFAULT_BYTES_MAX = 1024 * 1024 + 12;

/** What is known of a topic that is written. */
export interface TopicFacts {
  readonly partitions: number;
  /** Of one record batch. */
  readonly maxRecordBytes: number;
  /** Of one of more than one record. */
  readonly maxBatchBytes: number;
  /** It is compacted. */
  readonly needsKeys: boolean;
}

/**
 * The topics of a sink: makes those that are missing, and remembers which they are. One that is gone, or is another of the
 * same name, has lost what was written: its tables stop, and are loaded afresh when they are tried again.
 */
export class Topics {
  readonly #options: KafkaOptions;
  readonly #log: Logger;
  readonly #facts = new Map<string, TopicFacts>();
  /** Those that were written, as they were then. */
  readonly written = new Map<string, WrittenTopic>();
  /** What brokers said of a topic while it was written. */
  readonly #refused = new Map<string, KafkaError>();
  /** Batches of one record of this size were refused, whatever the topic's settings say. */
  readonly #bytesRefused = new Map<string, number>();
  /** Larger ones of several are not tried again. */
  readonly #batchBytes = new Map<string, number>();

  constructor(options: KafkaOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  /** What a checkpoint says of the topics that were written. */
  remember(topics: ReadonlyMap<string, WrittenTopic>): void {
    this.written.clear();
    for (const [topic, written] of topics) this.written.set(topic, written);
  }

  of(topic: string): TopicFacts {
    const facts = this.#facts.get(topic);
    if (facts === undefined) throw new Error('a topic that was never prepared');
    return facts;
  }

  /** Makes what is missing. Returns why topics cannot be written. Errors: KafkaError that concerns all. */
  async make(cluster: Cluster, topics: readonly string[]): Promise<ReadonlyMap<string, PipelineError>> {
    const failed = new Map<string, PipelineError>();
    if (topics.length === 0) return failed;
    const { refused } = await cluster.describeTopics([...new Set(topics)]);
    for (const [name, error] of refused) failed.set(name, error);
    const names = [...new Set(topics)].filter((name) => !refused.has(name));
    if (names.length === 0) return failed;
    const found = await cluster.topics(names, new Set(this.written.keys()));
    for (const name of names) {
      const reason = this.#refused.get(name) ?? this.#replaced(name, found.get(name));
      if (reason !== null) failed.set(name, reason);
    }
    await this.#create(
      cluster,
      names.filter((name) => !found.has(name) && !failed.has(name)),
      failed,
    );
    const usable = names.filter((name) => !failed.has(name));
    if (usable.length === 0) return failed;
    const made = await cluster.topics(usable);
    const configs = await cluster.topicConfigs(usable);
    for (const name of usable) {
      const topic = made.get(name);
      if (topic === undefined) failed.set(name, gone(name));
      else {
        this.#notePartitions(name, topic);
        this.written.set(name, { id: topic.id, partitions: topic.partitions });
        const { maxMessageBytes, cleanupPolicy } = configs.get(name) ?? { maxMessageBytes: null, cleanupPolicy: null };
        const tooLong = this.#bytesRefused.get(name) ?? Infinity;
        this.#facts.set(name, {
          partitions: topic.partitions,
          maxRecordBytes: Math.min(maxMessageBytes ?? DEFAULT_BYTES_MAX, tooLong - 1),
          maxBatchBytes: this.#batchBytes.get(name) ?? Infinity,
          needsKeys: cleanupPolicy?.includes('compact') === true,
        });
      }
    }
    return failed;
  }

  /** Looks whether those that are written are still what they were: brokers write by name. Errors: PipelineError, KafkaError. */
  async check(cluster: Cluster, topics: ReadonlySet<string>): Promise<void> {
    const found = await cluster.topics([...topics]);
    for (const name of topics) {
      const lost = this.#replaced(name, found.get(name));
      if (lost !== null) throw new PipelineError('transient', lost.code, lost.message, { hint: lost.hint });
    }
  }

  /** What is in the topic is void: whatever has its name is written from here on. */
  forget(topic: string): void {
    this.written.delete(topic);
    this.#refused.delete(topic);
    this.#bytesRefused.delete(topic);
    this.#batchBytes.delete(topic);
  }

  /**
   * Keeps what an error says of one topic: the next `make` refuses it, or knows its limit, so that the others go on.
   * Gives the error that the run is to have.
   */
  learnFrom(error: unknown): unknown {
    if (!(error instanceof KafkaError) || error.topic === undefined || !this.#facts.has(error.topic)) return error;
    if (error.refusal === 'size' && error.bytes !== undefined && (error.records ?? 1) > 1) {
      // The account may not read what the topic takes: it is found by halves.
      this.#batchBytes.set(error.topic, Math.floor(error.bytes / 2));
    } else if (error.refusal === 'size' && error.bytes !== undefined) {
      if ((this.#bytesRefused.get(error.topic) ?? Infinity) <= error.bytes) return error;
      this.#bytesRefused.set(error.topic, error.bytes);
    } else if (error.refusal === 'denied') this.#refused.set(error.topic, error);
    else return error;
    return new PipelineError('transient', error.code, error.message, { cause: error, hint: error.hint });
  }

  /** Keys go to other partitions from here on: order holds within each time alone (G6). */
  #notePartitions(name: string, { partitions }: Topic): void {
    const before = this.written.get(name)?.partitions ?? partitions;
    if (before === partitions) return;
    this.#log.warn(
      { topic: name, before, partitions },
      'the topic has more partitions than before: changes of one row may be in two of them',
    );
  }

  #replaced(name: string, now: Topic | undefined): PipelineError | null {
    const known = this.written.get(name);
    if (known === undefined || now?.id === known.id) return null;
    return gone(name);
  }

  async #create(cluster: Cluster, names: readonly string[], failed: Map<string, PipelineError>): Promise<void> {
    if (names.length === 0) return;
    try {
      await cluster.createTopics(newTopics(names, this.#options));
    } catch (error) {
      const ofOne = error instanceof KafkaError && (error.refusal === 'settings' || error.refusal === 'denied');
      if (!ofOne) throw error;
      if (names.length === 1) failed.set(names[0] ?? '', error);
      else for (const name of names) await this.#create(cluster, [name], failed);
    }
  }
}

/** Topics as the options want them. */
export function newTopics(
  names: readonly string[],
  { partitions, replication, cleanupPolicy }: KafkaOptions,
): readonly NewTopic[] {
  const configs = cleanupPolicy === null ? {} : { 'cleanup.policy': cleanupPolicy };
  return names.map((name) => ({ name, partitions, replication, configs }));
}

function gone(topic: string): PipelineError {
  return new PipelineError(
    'table',
    'Kafka.TopicMissing',
    `the topic ${topic} that was written is gone, or another one has its name: what was in it is lost`,
    {
      hint: 'Deploy the task again, or stop and start it: the topic is made anew, and its tables are loaded afresh.',
    },
  );
}
