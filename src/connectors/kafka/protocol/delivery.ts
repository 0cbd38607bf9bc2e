import { messageOf } from '../../../lib/errors.ts';
import { BackOff, pause } from '../../../lib/retry.ts';
import { brokerRefusal, KafkaError, toKafkaError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { Connections } from './connections.ts';
import type { Broker } from './find-cluster.ts';
import { type ProducerBatch, produce } from './produce.ts';

export interface DeliveryOptions {
  readonly version: number;
  readonly transactionalId: string | null;
  /** Whether a batch whose fate is unknown is sent again: right only if brokers find duplicates and no transaction is at stake. */
  readonly resendUnknown: boolean;
  /** Of one request; a larger batch goes alone. */
  readonly requestBytesMax: number;
  readonly inFlightMax: number;
  readonly onBroken: (error: unknown) => void;
}

interface Entry {
  readonly batch: ProducerBatch;
  readonly done: (error: unknown) => void;
  /** When it was first refused; null before. */
  refusedAt: number | null;
}

/** What waits for one partition. One batch is on its way at a time: so order needs no care, and sending again is safe. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly queue: Entry[];
  state: 'idle' | 'sent' | 'refused';
  /** Why it was refused last. */
  refusal: string;
}

interface Road {
  inFlight: number;
  /** One, until the broker has answered without throttling: what is on its way behind a throttled request waits with it. */
  inFlightMax: number;
  /** A broker that throttles says for how long it will not listen. */
  closedUntil: number;
}

/** How long a partition may refuse what it may take later, before delivery is given up. */
const PATIENCE_MS = 30_000;
/** The same where giving up writes records twice: what is read again gets new numbers. As the Java client's delivery.timeout.ms. */
const RESEND_MS = 120_000;
const RETRY_MS = 50;
const RETRY_MS_MAX = 1000;
/** After so long it is told that it takes longer than usual. */
const WARN_AFTER_MS = 10_000;
const DUPLICATE_SEQUENCE = 46;

/**
 * Takes record batches to the leaders of their partitions: many partitions in one request, several requests on their
 * way, one batch of a partition at a time. What leaders refuse for the moment is sent again after asking who leads; any
 * other error ends all of it.
 */
export class Delivery {
  readonly #cluster: Cluster;
  readonly #options: DeliveryOptions;
  readonly #connections: Connections;
  readonly #lanes = new Map<string, Map<number, Lane>>();
  readonly #waiting = new Set<Lane>();
  readonly #roads = new Map<number, Road>();
  readonly #end = new AbortController();
  readonly #backOff = new BackOff(RETRY_MS, RETRY_MS_MAX);
  #refreshing = false;
  #warned = false;

  constructor(cluster: Cluster, options: DeliveryOptions) {
    this.#cluster = cluster;
    this.#options = options;
    const { clientId, requestTimeoutMs } = cluster.options;
    this.#connections = new Connections(cluster.settings, {
      clientId,
      requestTimeoutMs,
      inFlightMax: options.inFlightMax,
    });
  }

  /** Resolves once every batch is acknowledged by all in-sync replicas. */
  deliver(batches: readonly ProducerBatch[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = batches.length;
    if (left === 0) resolve();
    const done = (error: unknown) => {
      left -= 1;
      if (error !== null) reject(error);
      else if (left === 0) resolve();
    };
    for (const batch of batches) this.#laneOf(batch).queue.push({ batch, done, refusedAt: null });
    this.#go();
    return promise;
  }

  /** Ends all that waits or is on its way with `error`; cuts the connections. */
  close(error: unknown): void {
    this.#end.abort();
    this.#connections.close();
    this.#waiting.clear();
    for (const lanes of this.#lanes.values()) {
      for (const lane of lanes.values()) {
        for (const { done } of lane.queue.splice(0)) done(error);
      }
    }
  }

  #laneOf({ topic, partition }: ProducerBatch): Lane {
    const lanes = this.#lanes.get(topic) ?? new Map<number, Lane>();
    this.#lanes.set(topic, lanes);
    const lane: Lane = lanes.get(partition) ?? { topic, partition, queue: [], state: 'idle', refusal: '' };
    lanes.set(partition, lane);
    if (lane.state === 'idle') this.#waiting.add(lane);
    return lane;
  }

  /** Sends what can be sent. */
  #go(): void {
    if (this.#end.signal.aborted) return;
    const byLeader = new Map<Broker, Lane[]>();
    for (const lane of this.#waiting) {
      const leader = this.#cluster.leaderOf(lane.topic, lane.partition);
      if (leader === null) this.#refuse(lane, null);
      else if (!byLeader.get(leader)?.push(lane)) byLeader.set(leader, [lane]);
    }
    for (const [leader, lanes] of byLeader) this.#fill(leader, lanes);
  }

  #fill(leader: Broker, lanes: readonly Lane[]): void {
    const road = this.#roads.get(leader.id) ?? { inFlight: 0, inFlightMax: 1, closedUntil: 0 };
    this.#roads.set(leader.id, road);
    const closedMs = road.closedUntil - performance.now();
    if (closedMs > 0) {
      if (road.inFlight === 0) void pause(closedMs, this.#end.signal).then(() => this.#go());
      return;
    }
    for (let at = 0; at < lanes.length && road.inFlight < road.inFlightMax; ) {
      const taken: Lane[] = [];
      for (let bytes = 0; at < lanes.length; at += 1) {
        const lane = lanes[at];
        const head = lane?.queue[0];
        if (lane === undefined || head === undefined) continue;
        bytes += head.batch.records.length;
        if (taken.length > 0 && bytes > this.#options.requestBytesMax) break;
        taken.push(lane);
      }
      if (taken.length > 0) void this.#send(leader, road, taken);
    }
  }

  async #send(leader: Broker, road: Road, lanes: readonly Lane[]): Promise<void> {
    road.inFlight += 1;
    for (const lane of lanes) {
      lane.state = 'sent';
      this.#waiting.delete(lane);
    }
    const { version, transactionalId, resendUnknown } = this.#options;
    const batches = lanes.flatMap(({ queue }) => (queue[0] === undefined ? [] : [queue[0].batch]));
    const timeoutMs = Math.round(this.#cluster.options.requestTimeoutMs * 0.8);
    try {
      const answer = await this.#connections.use(leader, (connection) =>
        produce(connection, { version, transactionalId, timeoutMs, batches }),
      );
      road.closedUntil = performance.now() + answer.throttleMs;
      road.inFlightMax = answer.throttleMs > 0 ? 1 : this.#options.inFlightMax;
      for (const result of answer.results) this.#settle(result);
      if (lanes.some(({ state }) => state === 'sent')) throw new Error('the answer leaves out a partition');
    } catch (error) {
      const failure = toKafkaError(error, { doing: `writing to ${leader.host}:${leader.port}` });
      const mayResend = resendUnknown && failure instanceof KafkaError && failure.refusal === 'unavailable';
      for (const lane of lanes) {
        if (lane.state === 'sent') this.#refuse(lane, failure, mayResend ? RESEND_MS : 0);
      }
    } finally {
      road.inFlight -= 1;
    }
    this.#go();
  }

  #settle({ topic, partition, errorCode, message }: Answered): void {
    const lane = this.#lanes.get(topic)?.get(partition);
    const entry = lane?.queue[0];
    if (lane === undefined || entry === undefined || lane.state !== 'sent') return;
    if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE) {
      lane.queue.shift();
      lane.state = 'idle';
      this.#backOff.reset();
      if (lane.queue.length > 0) this.#waiting.add(lane);
      entry.done(null);
      return;
    }
    const { records, count } = entry.batch;
    const about = { doing: `writing to partition ${partition}`, topic, bytes: records.length, records: count };
    const refusal = brokerRefusal(errorCode, about, message);
    this.#refuse(lane, refusal, patienceWith(refusal, this.#options.resendUnknown));
  }

  /** Keeps a lane back until its leader has been asked for; gives up after its patience. A null error: no leader is known. */
  #refuse(lane: Lane, error: unknown, patienceMs = this.#patienceMs): void {
    const entry = lane.queue[0];
    this.#waiting.delete(lane);
    lane.state = 'refused';
    lane.refusal = error === null ? 'no leader is known' : messageOf(error);
    const now = performance.now();
    if (entry !== undefined && now - (entry.refusedAt ?? now) >= patienceMs) {
      this.#options.onBroken(error ?? brokerRefusal(LEADER_NOT_AVAILABLE, { doing: 'writing', topic: lane.topic }));
      return;
    }
    if (entry !== undefined) entry.refusedAt ??= now;
    void this.#refresh();
  }

  /** Asks who leads the partitions that are kept back, and lets them go. */
  async #refresh(): Promise<void> {
    if (this.#refreshing || this.#end.signal.aborted) return;
    this.#refreshing = true;
    try {
      await pause(this.#backOff.next(), this.#end.signal);
      const refused = this.#refused();
      this.#tell(refused);
      const found = await this.#cluster.topics([...new Set(refused.map(({ topic }) => topic))]);
      for (const lane of refused) {
        const error = brokerRefusal(UNKNOWN_TOPIC, { doing: 'writing', topic: lane.topic });
        if (!found.has(lane.topic)) this.#options.onBroken(error);
        lane.state = 'idle';
        if (lane.queue.length > 0) this.#waiting.add(lane);
      }
    } catch (error) {
      if (!(error instanceof KafkaError && error.kind === 'transient')) this.#options.onBroken(error);
      else if (this.#refused().some((lane) => this.#isOverdue(lane))) this.#options.onBroken(error);
    } finally {
      this.#refreshing = false;
    }
    if (this.#refused().length > 0) void this.#refresh();
    this.#go();
  }

  #tell(refused: readonly Lane[]): void {
    const late = refused.filter((lane) => this.#refusedForMs(lane) > WARN_AFTER_MS);
    const isNews = late.length > 0 && !this.#warned;
    this.#warned = late.length > 0;
    if (!isNews) return;
    const topics = [...new Set(late.map(({ topic }) => topic))].slice(0, 10);
    const facts = { topics, partitions: late.length, why: late[0]?.refusal };
    this.#cluster.log.warn(facts, 'partitions take no records for longer than usual; they are asked again');
  }

  get #patienceMs(): number {
    return this.#options.resendUnknown ? RESEND_MS : PATIENCE_MS;
  }

  #refused(): Lane[] {
    return [...this.#lanes.values()].flatMap((lanes) => [...lanes.values()]).filter(({ state }) => state === 'refused');
  }

  #isOverdue(lane: Lane): boolean {
    return this.#refusedForMs(lane) >= this.#patienceMs;
  }

  #refusedForMs({ queue }: Lane): number {
    const now = performance.now();
    return now - (queue[0]?.refusedAt ?? now);
  }
}

type Answered = Awaited<ReturnType<typeof produce>>['results'][number];

const UNKNOWN_TOPIC = 3;
const LEADER_NOT_AVAILABLE = 5;

function patienceWith({ refusal }: KafkaError, resendUnknown: boolean): number {
  // A leader that has just been elected may not know the topic yet; whether there is one, the cluster is asked.
  if (refusal === 'retry' || refusal === 'topic') return resendUnknown ? RESEND_MS : PATIENCE_MS;
  return refusal === 'unavailable' && resendUnknown ? RESEND_MS : 0;
}
