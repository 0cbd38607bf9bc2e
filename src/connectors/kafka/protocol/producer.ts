import { pause } from '../../../lib/retry.ts';
import { sealBatch } from '../encode/record-batch.ts';
import { brokerRefusal, KafkaError } from '../errors.ts';
import { ADD_PARTITIONS, INIT_PRODUCER_ID } from './api-ranges.ts';
import type { Cluster } from './cluster.ts';
import type { Address } from './connections.ts';
import { Delivery } from './delivery.ts';
import { END_TRANSACTION, END_TRANSACTION_EXPLICIT } from './end-transaction.ts';
import { PRODUCE_NEWEST, PRODUCE_NEWEST_EXPLICIT, PRODUCE_OLDEST, type ProducerBatch } from './produce.ts';

/**
 * `transactional`: readers of committed records see all of a transaction or none of it; `idempotent`: what is sent again
 * is written once; `plain`: for brokers that can do neither, or accounts that may not.
 */
export type ProducerMode = 'transactional' | 'idempotent' | 'plain';

export interface ProducerOptions {
  readonly mode: ProducerMode;
  /** Given with mode `transactional`: opening it ends what another producer of this id has begun, and fences that. */
  readonly transactionalId: string | null;
  /** After so long without an end, the coordinator aborts a transaction by itself. */
  readonly transactionTimeoutMs: number;
  readonly requestBytesMax: number;
  /** Requests on their way to one broker, 1 to 5. */
  readonly inFlightMax: number;
}

const NOBODY = { producerId: -1n, producerEpoch: -1 };
/** Sequence numbers are of 31 bits, and begin anew at 0. */
const SEQUENCES = 2 ** 31;
/**
 * A leader that is asked to write while the transaction before is still being settled waits 20 ms by itself
 * (add.partitions.to.txn.retry.backoff.ms). Settling takes 1 or 2 ms.
 */
const REST_MS = 3;
/** How long the brokers may settle the transaction before, and those that were cut off. */
const SETTLE_MS = 60_000;

/**
 * Writes record batches, in transactions if `mode` says so; one at a time, begun by the first `send` after the last end.
 * Errors: KafkaError. After one, this producer is broken: every later call fails with the same error, and what it sent
 * may have been written or not. Open another one, and read from the checkpoint what became of it.
 */
export class Producer {
  readonly mode: ProducerMode;
  readonly #cluster: Cluster;
  readonly #options: ProducerOptions;
  readonly #delivery: Delivery;
  /** Leaders add partitions to the transaction by themselves, and each transaction has an epoch of its own. */
  readonly #implicit: boolean;
  readonly #sequences = new Map<string, Map<number, number>>();
  readonly #inTransaction = new Map<string, Set<number>>();
  #identity = NOBODY;
  #coordinator: Promise<Address> | null = null;
  #entering: Promise<void> = Promise.resolve();
  #underWay = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #broken: unknown = null;

  private constructor(cluster: Cluster, options: ProducerOptions) {
    this.mode = options.mode;
    this.#cluster = cluster;
    this.#options = options;
    const transactional = options.mode === 'transactional';
    this.#implicit = transactional && cluster.facts.transactionVersion === 2;
    this.#delivery = new Delivery(cluster, {
      version: produceVersion(cluster, this.#implicit),
      transactionalId: transactional ? options.transactionalId : null,
      resendUnknown: options.mode === 'idempotent',
      requestBytesMax: options.requestBytesMax,
      inFlightMax: options.inFlightMax,
      onBroken: (error) => this.#break(error),
    });
  }

  static async open(cluster: Cluster, options: ProducerOptions): Promise<Producer> {
    const producer = new Producer(cluster, options);
    if (options.mode !== 'plain') {
      try {
        await producer.#introduce();
      } catch (error) {
        producer.close();
        throw error;
      }
    }
    return producer;
  }

  get producerId(): bigint {
    return this.#identity.producerId;
  }

  /** Under the newer transaction protocol another one for each transaction. */
  get producerEpoch(): number {
    return this.#identity.producerEpoch;
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  /**
   * Resolves once all in-sync replicas have all of it. Batches of one partition are written in the order of the calls
   * and within them. The bytes are completed in place, and belong to the producer until then.
   */
  async send(batches: readonly ProducerBatch[]): Promise<void> {
    this.#underWay += 1;
    try {
      const entered = this.#entering.then(() => this.#enter(batches));
      this.#entering = entered.then(
        () => {},
        () => {},
      );
      await entered;
      this.#check();
      await this.#delivery.deliver(batches);
    } catch (error) {
      throw this.#break(error);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Ends the transaction; nothing happens when none was begun. Every `send` must have come back. */
  async endTransaction(end: 'commit' | 'abort'): Promise<void> {
    this.#check();
    if (this.#underWay > 0) throw new Error('a transaction is ended while batches are under way');
    const { transactionalId } = this.#options;
    if (this.mode !== 'transactional' || transactionalId === null || this.#inTransaction.size === 0) return;
    const versions = this.#implicit ? END_TRANSACTION : END_TRANSACTION_EXPLICIT;
    const about = { doing: `ending a transaction (${end})` };
    const { producerId, producerEpoch } = this.#identity;
    try {
      const answer = await this.#atCoordinator((coordinator) =>
        this.#cluster.ask(coordinator, versions, about, transactionalId, producerId, producerEpoch, end === 'commit'),
      );
      this.#inTransaction.clear();
      this.#endedAt = performance.now();
      if (answer.producerId === undefined || answer.producerEpoch === undefined) return;
      this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
      this.#sequences.clear();
    } catch (error) {
      throw this.#break(error);
    }
  }

  /** Cuts its connections, at once. A transaction that was begun stays so until another producer opens, or it times out. */
  close(): void {
    this.#break(
      new KafkaError('transient', 'Sink.Unavailable', { message: 'the producer is closed', refusal: 'retry' }),
    );
  }

  async #introduce(): Promise<void> {
    const { transactionalId, transactionTimeoutMs } = this.#options;
    const about = { doing: 'opening a producer' };
    const { producerId, producerEpoch } = await this.#atCoordinator((coordinator) =>
      this.#cluster.ask(coordinator, INIT_PRODUCER_ID, about, transactionalId, transactionTimeoutMs),
    );
    this.#identity = { producerId, producerEpoch };
  }

  /** Asks the coordinator of the transactional id, wherever it moves, as long as it says "not yet". */
  #atCoordinator<T>(question: (coordinator: Address) => Promise<T>): Promise<T> {
    const { transactionalId } = this.#options;
    return this.#cluster.patiently(async () => {
      this.#coordinator ??= transactionalId === null ? this.#cluster.any() : this.#cluster.coordinator(transactionalId);
      try {
        return await question(await this.#coordinator);
      } catch (error) {
        if (!(error instanceof KafkaError && error.cause === 'CONCURRENT_TRANSACTIONS')) this.#coordinator = null;
        throw error;
      }
    }, SETTLE_MS);
  }

  /** Gives the batches their places in the order, and makes their partitions part of the transaction. */
  async #enter(batches: readonly ProducerBatch[]): Promise<void> {
    this.#check();
    const unknown = batches.filter(({ topic, partition }) => this.#cluster.leaderOf(topic, partition) === null);
    if (unknown.length > 0) await this.#cluster.topics([...new Set(unknown.map(({ topic }) => topic))]);
    if (this.mode === 'transactional') await this.#join(batches);
    this.#check();
    for (const batch of batches) this.#stamp(batch);
  }

  async #join(batches: readonly ProducerBatch[]): Promise<void> {
    const added = new Map<string, Set<number>>();
    for (const { topic, partition } of batches) {
      if (this.#inTransaction.get(topic)?.has(partition) === true) continue;
      const partitions = added.get(topic) ?? new Set();
      added.set(topic, partitions.add(partition));
    }
    if (added.size === 0) return;
    if (this.#implicit && this.#inTransaction.size === 0) await this.#rest();
    // Before the question: a transaction that the brokers may know of must be ended.
    for (const [topic, partitions] of added) {
      this.#inTransaction.set(topic, (this.#inTransaction.get(topic) ?? new Set()).union(partitions));
    }
    if (!this.#implicit) await this.#addPartitions(added);
  }

  async #rest(): Promise<void> {
    const leftMs = this.#endedAt + REST_MS - performance.now();
    if (leftMs > 0) await pause(leftMs, this.#cluster.signal);
  }

  async #addPartitions(added: ReadonlyMap<string, ReadonlySet<number>>): Promise<void> {
    const question = {
      transactionalId: this.#options.transactionalId ?? '',
      ...this.#identity,
      verifyOnly: false,
      topics: [...added].map(([name, partitions]) => ({ name, partitions: [...partitions] })),
    };
    const about = { doing: 'adding partitions to a transaction' };
    await this.#atCoordinator(async (coordinator) => {
      const { resultsByTransaction } = await this.#cluster.ask(coordinator, ADD_PARTITIONS, about, [question]);
      const refused = resultsByTransaction
        .flatMap(({ topicResults }) => topicResults)
        .flatMap(({ name, resultsByPartition }) =>
          resultsByPartition.map(({ partitionErrorCode }) => ({ topic: name, code: partitionErrorCode })),
        )
        .filter(({ code }) => code !== 0);
      // Because of one that is refused, the others are not tried.
      const reason = refused.find(({ code }) => code !== NOT_ATTEMPTED) ?? refused[0];
      if (reason === undefined) return;
      const { topic, code } = reason;
      throw brokerRefusal(code, OF_TOPICS.has(code) ? { ...about, topic } : about);
    });
  }

  #stamp({ topic, partition, records, count }: ProducerBatch): void {
    if (this.mode === 'plain') {
      sealBatch(records, { producerId: -1n, epoch: -1, baseSequence: -1, isTransactional: false });
      return;
    }
    const sequences = this.#sequences.get(topic) ?? new Map<number, number>();
    this.#sequences.set(topic, sequences);
    const sequence = sequences.get(partition) ?? 0;
    sequences.set(partition, (sequence + count) % SEQUENCES);
    const { producerId, producerEpoch } = this.#identity;
    const isTransactional = this.mode === 'transactional';
    sealBatch(records, { producerId, epoch: producerEpoch, baseSequence: sequence, isTransactional });
  }

  #check(): void {
    this.#cluster.signal.throwIfAborted();
    if (this.#broken !== null) throw this.#broken;
  }

  /** The first error stays the reason. */
  #break(error: unknown): unknown {
    if (this.#broken === null) {
      this.#broken = error;
      this.#delivery.close(error);
    }
    return this.#broken;
  }
}

function produceVersion(cluster: Cluster, implicit: boolean): number {
  const newest = Math.min(cluster.facts.produceVersion, implicit ? PRODUCE_NEWEST : PRODUCE_NEWEST_EXPLICIT);
  if (newest < PRODUCE_OLDEST) throw brokerRefusal(UNSUPPORTED_VERSION, { doing: 'opening a producer' });
  return newest;
}

const UNSUPPORTED_VERSION = 35;
const NOT_ATTEMPTED = 55;
/** No such topic, not allowed to write it. */
const OF_TOPICS = new Set([3, 29]);
