import type { Batch } from '../../pipeline/batch.ts';
import type { HeartbeatTimes } from './encode/envelope.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** Where heartbeats go. */
export interface HeartbeatTarget {
  /** How many partitions each topic has. */
  topics(): Iterable<readonly [topic: string, partitions: number]>;
  hasRoom(): boolean;
  write(topic: string, partition: number, times: HeartbeatTimes): void;
}

/**
 * Tells readers how far the log was read, so that they need not take silence for a stop: now and then a round to every
 * partition. Those for which there is no room come with the next batches.
 */
export class Heartbeats {
  readonly #everyMs: number;
  readonly #target: HeartbeatTarget;
  #dueAt: number;
  /** What is left of the round, from the next one on; null between two rounds. */
  #round: { readonly rest: Iterator<Place, undefined>; next: Place | undefined } | null = null;

  /** `everySeconds`: 0 for none. */
  constructor(target: HeartbeatTarget, everySeconds: number, now: number) {
    this.#everyMs = everySeconds * 1000;
    this.#target = target;
    this.#dueAt = now + this.#everyMs;
  }

  /** Other topics are to have them from here on: what is left of this round is left out. */
  endRound(): void {
    this.#round = null;
  }

  /** All of `batch` was taken, which ends a transaction and was there at `readAt`. */
  follow({ caughtUp, timeMicros }: Batch, readAt: number): void {
    if (this.#everyMs === 0 || (!caughtUp && timeMicros === null)) return;
    if (this.#round === null && readAt >= this.#dueAt) {
      this.#dueAt = readAt + this.#everyMs;
      const rest = everyPartition(this.#target.topics());
      this.#round = { rest, next: rest.next().value };
    }
    const round = this.#round;
    if (round === null) return;
    const time = caughtUp || timeMicros === null ? readAt : Math.floor(timeMicros / 1000);
    const times = { eventTime: time, checkpointTime: time };
    for (; round.next !== undefined && this.#target.hasRoom(); round.next = round.rest.next().value)
      this.#target.write(round.next.topic, round.next.partition, times);
    if (round.next === undefined) this.#round = null;
  }
}

function* everyPartition(topics: Iterable<readonly [topic: string, partitions: number]>): Generator<Place, undefined> {
  for (const [topic, partitions] of topics)
    for (let partition = 0; partition < partitions; partition += 1) yield { topic, partition };
}
