import { isJsonObject, parseJson, stringifyJson } from '../../lib/json.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import type { Checkpoint, CheckpointOwner, TableProgress } from '../../pipeline/checkpoint.ts';
import { progressText } from '../../pipeline/progress-text.ts';
import type { PlainRecord } from './encode/commit-records.ts';
import type { Cluster, NewTopic } from './protocol/cluster.ts';
import { readNewest } from './protocol/topic-reader.ts';

export const CHECKPOINT_TOPIC = '__disync_checkpoint';

/** Rolled early, so that what was written over is soon compacted: a commit writes some. */
const CONFIGS = {
  'cleanup.policy': 'compact',
  'segment.bytes': String(16 * 1024 * 1024),
  'min.cleanable.dirty.ratio': '0.2',
  'max.message.bytes': String(8 * 1024 * 1024),
} as const;
const REPLICATION_MAX = 3;

/*
 * Keys are JSON lists: [installation, task, "run"], [installation, task, "table", database, table],
 * [installation, task, "topic", name]. Values tell the incarnation they are of; those of others are void.
 */
type RecordKind = 'run' | 'table' | 'topic';

/**
 * The checkpoints of one owner in the compacted topic that all tasks share: a record for the run, one per table, and one
 * per topic that was written (which it was, so that another of that name is not taken for it). A commit writes what
 * changed, in the transaction of its rows.
 */
export class CheckpointTopic {
  readonly #owner: CheckpointOwner;
  /** By key, the values as they are in the topic. */
  #written = new Map<string, string>();

  constructor(owner: CheckpointOwner) {
    this.#owner = owner;
  }

  /** Makes the topic where it is missing. Errors: KafkaError. */
  static async create(cluster: Cluster): Promise<void> {
    if (!(await cluster.topics([CHECKPOINT_TOPIC])).has(CHECKPOINT_TOPIC))
      await cluster.createTopics([CheckpointTopic.wanted(cluster)]);
  }

  static wanted({ facts }: Cluster): NewTopic {
    const replication = Math.min(REPLICATION_MAX, facts.brokers.length);
    return { name: CHECKPOINT_TOPIC, partitions: 1, replication, configs: CONFIGS };
  }

  /** What is stored for this incarnation; null when there is nothing. */
  async load(cluster: Cluster): Promise<Checkpoint | null> {
    const { incarnation } = this.#owner;
    const found = await readOwn(cluster, this.#owner);
    this.#written = new Map([...found].map(([key, { text }]) => [key, text]));
    const own = [...found.values()].filter(({ value }) => value['incarnation'] === incarnation);
    const run = own.find(({ kind }) => kind === 'run')?.value;
    const tables = own.filter(({ kind }) => kind === 'table');
    // A topic that is not only compacted loses the records of tables, which are seldom written anew.
    if (run === undefined || tables.length !== run['tables']) return null;
    return {
      sequence: Number(run['sequence']),
      offset: run['offset'] as JsonObject,
      version: Number(run['version']),
      tables: tables.map(({ value }) => value['progress'] as unknown as TableProgress),
    };
  }

  /** The topics that were written, as `load` found them. */
  topics(): Map<string, WrittenTopic> {
    const topics = new Map<string, WrittenTopic>();
    for (const [key, text] of this.#written) {
      const [, , kind, name] = parseJson(key) as Json[];
      const value = parseJson(text) as JsonObject;
      if (kind === 'topic' && value['incarnation'] === this.#owner.incarnation)
        topics.set(String(name as string), {
          id: String(value['id'] as string),
          partitions: Number(value['partitions']),
        });
    }
    return topics;
  }

  /** The records that make the topic say what `checkpoint` does. They must all be written, or none. */
  changes(checkpoint: Checkpoint, topics: ReadonlyMap<string, WrittenTopic>): readonly CheckpointRecord[] {
    const wanted = this.#records(checkpoint, topics);
    const changed = [...wanted].filter(([key, value]) => this.#written.get(key) !== value);
    const gone = [...this.#written.keys()].filter((key) => !wanted.has(key));
    return [...changed.map(([key, value]) => ({ key, value })), ...gone.map((key) => ({ key, value: null }))];
  }

  /** These records are durable. */
  written(records: readonly CheckpointRecord[]): void {
    for (const { key, value } of records) {
      if (value === null) this.#written.delete(key);
      else this.#written.set(key, value);
    }
  }

  #records({ sequence, offset, version, tables }: Checkpoint, topics: ReadonlyMap<string, WrittenTopic>) {
    const { incarnation } = this.#owner;
    const records = new Map<string, string>();
    for (const progress of tables) {
      const { database, table } = progress.table;
      const value = `{"incarnation":${JSON.stringify(incarnation)},"progress":${progressText(progress)}}`;
      records.set(this.#key('table', database, table), value);
    }
    for (const [name, { id, partitions }] of topics)
      records.set(this.#key('topic', name), stringifyJson({ incarnation, id, partitions }));
    records.set(this.#key('run'), stringifyJson({ incarnation, sequence, offset, version, tables: tables.length }));
    return records;
  }

  #key(kind: RecordKind, ...names: readonly string[]): string {
    return JSON.stringify([this.#owner.installation, this.#owner.task, kind, ...names]);
  }
}

/** A topic as it was when it was written. */
export interface WrittenTopic {
  /** Another one of the same name has another id; all zeros where brokers give none. */
  readonly id: string;
  readonly partitions: number;
}

export interface CheckpointRecord {
  readonly key: string;
  /** Null takes it away. */
  readonly value: string | null;
}

/** As it is sent. */
export function plainRecord({ key, value }: CheckpointRecord, time: number): PlainRecord {
  return {
    topic: CHECKPOINT_TOPIC,
    partition: 0,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    time,
  };
}

/** Tombstones for all that is stored for a task, of any incarnation. */
export async function tombstones(
  cluster: Cluster,
  owner: Pick<CheckpointOwner, 'installation' | 'task'>,
): Promise<readonly CheckpointRecord[]> {
  return [...(await readOwn(cluster, owner)).keys()].map((key) => ({ key, value: null }));
}

interface Stored {
  readonly kind: Json | undefined;
  readonly text: string;
  readonly value: JsonObject;
}

/** The newest value of each key of a task. */
async function readOwn(
  cluster: Cluster,
  { installation, task }: Pick<CheckpointOwner, 'installation' | 'task'>,
): Promise<Map<string, Stored>> {
  const records = await readNewest(cluster, {
    topic: CHECKPOINT_TOPIC,
    partition: 0,
    isWanted: (key) => isOfTask(key, installation, task),
  });
  const found = new Map<string, Stored>();
  for (const { key, value } of records.values()) {
    const fields = value === null ? null : parseJson(value.toString());
    if (!isJsonObject(fields)) continue;
    const keyText = Buffer.from(key, 'latin1').toString();
    const [, , kind] = parseJson(keyText) as Json[];
    found.set(keyText, { kind, text: value?.toString() ?? '', value: fields });
  }
  return found;
}

function isOfTask(key: Buffer, installation: string, task: string): boolean {
  return key.toString().startsWith(`${JSON.stringify([installation, task]).slice(0, -1)},`);
}
