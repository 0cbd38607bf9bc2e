import { stringifyJson } from '../../src/lib/json.ts';
import { readTopic } from '../../scripts/servers/kafka-reader.ts';
import type { TestKafka } from './kafka-under-test.ts';
import { changesOf, type TopicChange } from '../../quickstart/topic-fold.ts';

export interface CountedTopicOptions {
  readonly topic: string;
  /** Other tables may be in the topic, too. */
  readonly table: string;
  readonly partitions: number;
  /** Whether a change may come again as it was (`delivery` `atLeastOnce`): it is told by its sequenceId then. */
  readonly mayRepeat: boolean;
}

/** What readers know of one key. */
interface Known {
  /** The last value of its counter. */
  readonly n: number;
  readonly sequenceId: string;
  readonly partition: number;
}

/**
 * Follows the topic of a table whose `n` counts the changes of each key (counting-writer.ts) as a committed reader does, and
 * says what is wrong: a change that is missing, comes twice or in another order shows in the counter or in the sequenceId. A
 * row that was loaded (INSERT, as the envelope has it) may repeat what its key had already.
 */
export class CountedTopic {
  /** Row changes that were read. */
  changes = 0;
  /** Changes that came again as they were. */
  repeats = 0;
  readonly faults: string[] = [];
  readonly #options: CountedTopicOptions;
  readonly #next = new Map<number, number>();
  readonly #seen = new Set<string>();
  #known = new Map<string, Known>();
  #rows = new Map<string, string>();

  constructor(options: CountedTopicOptions) {
    this.#options = options;
  }

  /** Reads what has come since. Errors: what the reader says, but for a topic that was never made. */
  async read(kafka: TestKafka): Promise<void> {
    const { topic, partitions } = this.#options;
    for (let partition = 0; partition < partitions; partition += 1) {
      const from = this.#next.get(partition);
      const records = await readTopic(kafka, { topic, partition, ...(from === undefined ? {} : { from }) }).catch(
        (error: unknown) => {
          if (this.#next.size === 0 && /Unknown (topic|partition)/.test(String(error))) return [];
          throw error;
        },
      );
      const last = records.at(-1);
      if (last !== undefined) this.#next.set(partition, last.offset + 1);
      for (const change of changesOf(records)) if (change.table === this.#options.table) this.#take(change, partition);
    }
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** The last row of each key, as JSON, where there is one. */
  get rows(): ReadonlyMap<string, string> {
    return this.#rows;
  }

  /** The table has left: when it comes back it is loaded afresh. */
  leave(): void {
    this.#known = new Map();
    this.#rows = new Map();
  }

  #take(change: TopicChange, partition: number): void {
    const { key, op, sequenceId, before, after } = change;
    this.changes += 1;
    const row = after === null ? null : stringifyJson(after);
    const held = this.#rows.get(key);
    if (row === null) this.#rows.delete(key);
    else this.#rows.set(key, row);
    const name = `${key} ${op} ${sequenceId}`;
    if (this.#seen.has(name)) {
      this.repeats += 1;
      if (!this.#options.mayRepeat) this.#fault(name, 'comes twice');
      return;
    }
    this.#seen.add(name);
    const known = this.#known.get(key);
    const counted = Number((after ?? before)?.['n']);
    if (known !== undefined) {
      if (sequenceId < known.sequenceId) this.#fault(name, `comes after ${known.sequenceId}`);
      if (partition !== known.partition) this.#fault(name, `has moved from partition ${known.partition}`);
      if (before !== null && counted !== known.n) this.#fault(name, `was ${counted}, after ${known.n}`);
      const isRepeat = op === 'INSERT' && counted === known.n && row === held;
      if (after !== null && counted !== known.n + 1 && !isRepeat)
        this.#fault(name, `becomes ${counted}, after ${known.n}`);
    }
    this.#known.set(key, { n: counted, sequenceId, partition });
  }

  #fault(change: string, what: string): void {
    this.faults.push(`${this.#options.table}: ${change} ${what}`);
  }
}
