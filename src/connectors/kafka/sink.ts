import { type Clock, systemClock } from '../../lib/clock.ts';
import { withCrashPoints } from '../../lib/crash-point.ts';
import { assertNever } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { VERSION } from '../../lib/version.ts';
import type { Batch, DdlPart, RowsPart } from '../../pipeline/batch.ts';
import type { Checkpoint, CheckpointOwner, TableProgress } from '../../pipeline/checkpoint.ts';
import type { OpenSinkOptions } from '../../pipeline/connector.ts';
import { DirtyRows } from '../../pipeline/dirty-rows.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { SinkTable } from '../../pipeline/route.ts';
import type { CommitResult, FailedTables, Sink, SinkLoad } from '../../pipeline/sink.ts';
import { describeTable, type TableId } from '../../pipeline/table.ts';
import { CheckpointTopic, plainRecord } from './checkpoint-topic.ts';
import { CommitRoom } from './commit-room.ts';
import { CommitRecords } from './encode/commit-records.ts';
import { compressBatches } from './encode/compression.ts';
import type { DirtyRecord, Envelope, HeartbeatTimes } from './encode/envelope.ts';
import { openEnvelope } from './encode/envelopes.ts';
import { KafkaError } from './errors.ts';
import { Heartbeats } from './heartbeats.ts';
import { keyColumnsOf } from './key-columns.ts';
import { asKafkaSettings, type KafkaSettings } from './settings.ts';
import { type KafkaOptions, parseKafkaOptions } from './options.ts';
import { Cluster } from './protocol/cluster.ts';
import { Producer } from './protocol/producer.ts';
import { openProducer, transactionalId } from './producer-mode.ts';
import { TableRoutes } from './table-routes.ts';
import { Topics } from './topics.ts';

/** Memory of batches that stays for the next commit: up to twice what they hold, as it grows by doubling. */
const KEPT_PER_BYTE = 2;

/** How often topics are looked after while they are written. */
const CHECK_MS = 10_000;

/**
 * Writes into Kafka. Rows are encoded into record batches as they come; a commit sends them, with the checkpoint in the
 * same transaction where there are transactions. Two buffers take turns, so that encoding goes on while a commit is on
 * its way.
 */
export class KafkaSink implements Sink {
  readonly commitIntervalMs: number;
  readonly #settings: KafkaSettings;
  readonly #options: KafkaOptions;
  readonly #owner: CheckpointOwner;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #dirty: DirtyRows;
  readonly #envelope: Envelope;
  readonly #checkpoints: CheckpointTopic;
  readonly #routes = new TableRoutes();
  /** Of each of the two buffers. */
  readonly #bufferBytesMax: number;
  readonly #room: CommitRoom;
  readonly #closing = new AbortController();
  readonly #topics: Topics;
  #cluster: Cluster | null = null;
  #producer: Producer | null = null;
  #filling: CommitRecords;
  #spare: CommitRecords;
  #committing: Promise<unknown> | null = null;
  readonly #heartbeats: Heartbeats;
  #checkAt = 0;
  /** Why the last commit failed. */
  #broken: unknown = null;

  constructor(
    { settings, options, sourceName, owner, policies, memoryBytes, log }: OpenSinkOptions,
    clock = systemClock,
  ) {
    this.#settings = asKafkaSettings(settings);
    this.#options = parseKafkaOptions(options);
    this.#owner = owner;
    this.#log = log;
    this.#clock = clock;
    this.#dirty = new DirtyRows(policies.errorLimit);
    this.#checkpoints = new CheckpointTopic(owner);
    this.#topics = new Topics(this.#options, log);
    this.commitIntervalMs = this.#options.commitIntervalMs;
    this.#bufferBytesMax = Math.min(memoryBytes / 2, this.#options.transactionBytesMax);
    this.#room = new CommitRoom(this.#bufferBytesMax, this.#options.transactionTimeoutMs);
    this.#filling = new CommitRecords(KEPT_PER_BYTE * this.#options.commitBytesMax);
    this.#spare = new CommitRecords(KEPT_PER_BYTE * this.#options.commitBytesMax);
    this.#envelope = openEnvelope(this.#options, {
      sourceName,
      version: VERSION,
      clock,
      onDirty: (record) => this.#leaveOut(record),
    });
    const target = {
      topics: () =>
        [...this.#routes.flowingTopics()].map((topic) => [topic, this.#topics.of(topic).partitions] as const),
      hasRoom: () => !this.load().isFull,
      write: (topic: string, partition: number, times: HeartbeatTimes) =>
        this.#envelope.heartbeat(topic, partition, times, this.#filling),
    };
    this.#heartbeats = new Heartbeats(target, this.#options.heartbeatSeconds, clock.now());
  }

  get holdsCheckpoint(): boolean {
    return this.#producer?.mode === 'transactional';
  }

  get dirtyRows(): number {
    return this.#dirty.count;
  }

  /** The producer comes first: it ends what another instance, or a former try, has begun, and only then is the checkpoint read. */
  async recover(): Promise<Checkpoint | null> {
    await this.#committing?.catch(() => {});
    this.#disconnect();
    this.#filling.reset(false);
    this.#spare.reset(false);
    this.#dirty.rewind();
    this.#routes.clear();
    this.#heartbeats.endRound();
    this.#broken = null;
    const { clientId, requestTimeoutMs } = this.#options;
    const cluster = await Cluster.open(this.#settings, {
      clientId,
      requestTimeoutMs,
      log: this.#log,
      signal: this.#closing.signal,
    });
    this.#cluster = cluster;
    this.#producer = await openProducer(cluster, this.#options, transactionalId(this.#owner));
    if (!this.holdsCheckpoint) return null;
    await CheckpointTopic.create(cluster);
    const checkpoint = await this.#checkpoints.load(cluster);
    this.#topics.remember(checkpoint === null ? new Map() : this.#checkpoints.topics());
    return checkpoint;
  }

  async prepare(tables: readonly SinkTable[]): Promise<FailedTables> {
    if (this.#cluster === null) throw new Error('a sink prepares after it has recovered');
    for (const topic of this.#routes.voidTopics(tables)) this.#topics.forget(topic);
    const failures = await this.#topics.make(
      this.#cluster,
      tables.map(({ target }) => target.table),
    );
    const failed: { table: TableId; error: PipelineError }[] = [];
    this.#checkAt = this.#clock.now() + CHECK_MS;
    for (const { table, target } of tables) {
      const refused = failures.get(target.table);
      this.#routes.open(table.id, target.table, refused === undefined);
      if (refused === undefined) continue;
      const { code, message, hint } = refused;
      failed.push({
        table: table.id,
        error: new PipelineError('table', code, message, { table: table.id, hint, cause: refused }),
      });
    }
    return failed;
  }

  async write(batch: Batch): Promise<FailedTables> {
    const readAt = this.#clock.now();
    // While a commit is on its way, more than one buffer full has to wait for it.
    while (this.#committing !== null && this.#isFull()) await this.#committing.catch(() => {});
    if (this.#broken !== null) throw this.#broken;
    const failed: { table: TableId; error: PipelineError }[] = [];
    for (const part of batch.parts) {
      switch (part.kind) {
        case 'rows':
        case 'ddl':
          failed.push(...this.#encode(part));
          break;
        // What was written stays written, and rows carry the shape that they have.
        case 'schema':
        case 'empty':
          break;
        case 'progress':
          this.#note(part.progress);
          break;
        default:
          assertNever(part);
      }
    }
    if (batch.transactionEnd) this.#heartbeats.follow(batch, readAt);
    return failed;
  }

  load(): SinkLoad {
    const { rows, bytes, memoryBytes } = this.#filling;
    // Statements and heartbeats are no rows, and are to be sent all the same.
    return {
      rows: rows === 0 && bytes > 0 ? 1 : rows,
      bytes,
      isFull: bytes >= this.#room.bytes || memoryBytes >= this.#bufferBytesMax,
    };
  }

  async commit(checkpoint: Checkpoint): Promise<CommitResult> {
    if (this.#broken !== null) throw this.#broken;
    if (this.#committing !== null) throw new Error('a commit is in flight already');
    const records = this.#filling;
    this.#filling = this.#spare;
    this.#spare = records;
    const { rows, bytes } = records;
    const dirty = this.#dirty.open;
    const begun = performance.now();
    const committing = this.#send(records, checkpoint);
    this.#committing = committing;
    let isSent = false;
    try {
      await committing;
      isSent = true;
      this.#dirty.settle(dirty);
      this.#room.committed(performance.now() - begun);
      return { failed: [], rowsWritten: rows };
    } catch (error) {
      if (error instanceof KafkaError && error.refusal === 'fenced') this.#room.ended(bytes, performance.now() - begun);
      this.#broken = this.#topics.learnFrom(error);
      throw this.#broken;
    } finally {
      records.reset(isSent);
      this.#committing = null;
    }
  }

  drop(table: TableId): void {
    if (!this.#routes.drop(table)) return;
    this.#heartbeats.endRound();
    this.#filling.exclude(table);
  }

  async close(): Promise<void> {
    await this.#committing?.catch(() => {});
    this.#closing.abort();
    this.#disconnect();
  }

  async #send(records: CommitRecords, checkpoint: Checkpoint): Promise<void> {
    const producer = this.#producer;
    if (producer === null) throw new Error('a sink commits after it has recovered');
    const changes = this.holdsCheckpoint ? this.#checkpoints.changes(checkpoint, this.#topics.written) : [];
    const now = this.#clock.now();
    for (const change of changes) records.add(plainRecord(change, now));
    const batches = await compressBatches(records.finish(), this.#options.compression);
    await withCrashPoints('records sent', () => Promise.all([producer.send(batches), this.#checkTopics(now)]));
    await producer.endTransaction('commit');
    this.#checkpoints.written(changes);
  }

  async #checkTopics(now: number): Promise<void> {
    const topics = this.#routes.topics();
    if (now < this.#checkAt || this.#cluster === null || topics.size === 0) return;
    this.#checkAt = now + CHECK_MS;
    await this.#topics.check(this.#cluster, topics);
  }

  #encode(part: RowsPart | DdlPart): FailedTables {
    const { id } = part.table;
    const route = this.#routes.of(id);
    if (!route.isReady) return [];
    let topic = route.versions.get(part.table);
    if (topic === undefined) {
      const { columns, missing } = keyColumnsOf(part.table, this.#options.keyColumns);
      if (missing.length > 0) {
        this.drop(id);
        return [{ table: id, error: keyGone(id, missing) }];
      }
      topic = {
        ...this.#topics.of(route.topic),
        topic: route.topic,
        keyColumns: columns,
        compression: this.#options.compression,
      };
      route.versions.set(part.table, topic);
    }
    if (part.kind === 'rows') this.#envelope.rows(part, topic, this.#filling);
    else this.#envelope.ddl(part, topic, this.#filling);
    return [];
  }

  #note({ table, state }: TableProgress): void {
    this.#routes.setFailed(table, state === 'FAILED');
    if (state === 'REMOVED') this.#leave(table);
  }

  /** The table is not of this task any more; what it wrote stays. */
  #leave(table: TableId): void {
    const topic = this.#routes.close(table);
    if (topic === null) return;
    this.#heartbeats.endRound();
    if (!this.#routes.topics().has(topic)) this.#topics.forget(topic);
  }

  #isFull(): boolean {
    return this.#filling.bytes >= this.#options.commitBytesMax || this.load().isFull;
  }

  #leaveOut({ table, topic, bytes, limit }: DirtyRecord): void {
    this.#log.warn(
      { table, topic, bytes, limit },
      'a row was left out: dirty data, its record is longer than the topic takes',
    );
    this.#dirty.add(1, `${describeTable(table)}: its record has ${bytes} bytes, and the topic ${topic} takes ${limit}`);
  }

  #disconnect(): void {
    this.#producer?.close();
    this.#cluster?.close();
    this.#producer = null;
    this.#cluster = null;
  }
}

function keyGone(table: TableId, missing: readonly string[]): PipelineError {
  return new PipelineError(
    'table',
    'Kafka.KeyColumnMissing',
    `${describeTable(table)} has no column ${missing.join(', ')}, which keyColumns names`,
    {
      table,
      hint: 'Give other keyColumns, or bring the column back; then deploy the task again: the table is loaded afresh.',
    },
  );
}
