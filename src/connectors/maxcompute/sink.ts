import { assertNever } from '../../lib/errors.ts';
import { inParallel } from '../../lib/in-parallel.ts';
import type { Logger } from '../../lib/log.ts';
import { TimeZone } from '../../lib/time-zone.ts';
import type { Batch, DdlPart, EmptyPart, RowsPart, SchemaPart } from '../../pipeline/batch.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import type { OpenSinkOptions } from '../../pipeline/connector.ts';
import { ddlRefusal } from '../../pipeline/ddl-unsupported.ts';
import { DirtyRows } from '../../pipeline/dirty-rows.ts';
import { lastCommitFailed } from '../../pipeline/last-commit-failed.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { SinkTable } from '../../pipeline/route.ts';
import type { CommitResult, FailedTables, Sink, SinkLoad } from '../../pipeline/sink.ts';
import { SinkTargets } from '../../pipeline/sink-targets.ts';
import type { TableId, TableVersion } from '../../pipeline/table.ts';
import { CommitAttempt } from './commit-attempt.ts';
import { CommitBuffer } from './encode/commit-buffer.ts';
import { CommitJournal } from './commit-journal.ts';
import { type RowTarget, RowWriter } from './encode/row-writer.ts';
import { toPipelineError } from './errors.ts';
import { followSchema } from './follow-schema.ts';
import { describeTarget, targetKey } from './names.ts';
import { intervalSeconds, type MaxComputeOptions, parseMaxComputeOptions } from './options.ts';
import { PartitionRule } from './partition.ts';
import { prepareTargets } from './prepare-targets.ts';
import type { RowStream } from './protocol/row-stream.ts';
import { tableFacts } from './protocol/table-facts.ts';
import { closeService, openService, type Service, tunnelTarget } from './service.ts';
import { asMaxComputeSettings, type MaxComputeSettings } from './settings.ts';
import { settleCommit } from './settle-commit.ts';
import type { Target } from './target.ts';

/** Of the memory for rows, what each of the two buffers may take; the rest is for blocks on their way. */
const BUFFER_SHARE = 0.3;
const LOOK_LIMIT = 8;

/**
 * Writes into MaxCompute. Rows are encoded as they come, those of Delta tables merged by key; a commit stores them in sessions
 * that nobody sees, notes sessions and checkpoint in the journal, and makes them visible. Two buffers take turns, so that
 * encoding goes on while a commit is on its way.
 */
export class MaxComputeSink implements Sink {
  readonly commitIntervalMs: number;
  readonly holdsCheckpoint = true;
  readonly #settings: MaxComputeSettings;
  readonly #options: MaxComputeOptions;
  readonly #policies: OpenSinkOptions['policies'];
  readonly #log: Logger;
  readonly #journal: CommitJournal;
  readonly #partitions: PartitionRule;
  readonly #zone: TimeZone;
  readonly #writer: RowWriter;
  readonly #targets = new SinkTargets<Target>(targetKey);
  readonly #dirty: DirtyRows;
  readonly #closing = new AbortController();
  readonly #bufferBytesMax: number;
  #service: Service | null = null;
  /** That blocks are written into, and then again. */
  readonly #streams: RowStream[] = [];
  #filling = new CommitBuffer();
  #spare = new CommitBuffer();
  #committing: Promise<unknown> | null = null;
  #broken = false;

  constructor({ settings, options, policies, memoryBytes, journal, log }: OpenSinkOptions) {
    this.#settings = asMaxComputeSettings(settings);
    this.#options = parseMaxComputeOptions(options);
    this.#policies = policies;
    this.#log = log;
    this.#journal = new CommitJournal(journal);
    this.#partitions = PartitionRule.parse(this.#options.partition);
    this.#zone = new TimeZone(this.#options.timeZone);
    this.#writer = new RowWriter(this.#zone);
    this.#dirty = new DirtyRows(policies.errorLimit);
    this.#bufferBytesMax = memoryBytes * BUFFER_SHARE;
    this.commitIntervalMs = intervalSeconds(this.#options) * 1000;
  }

  get dirtyRows(): number {
    return this.#dirty.count;
  }

  async recover(): Promise<Checkpoint | null> {
    await this.#committing?.catch(() => {});
    if (this.#service !== null) closeService(this.#service);
    this.#service = null;
    this.#filling.reset();
    this.#spare.reset();
    this.#dirty.rewind();
    this.#broken = false;
    const { signal } = this.#closing;
    const service = await openService(this.#settings, this.#options.retryFirstMs, signal);
    this.#service = service;
    const checkpoint = await settleCommit({ journal: this.#journal, service, log: this.#log, signal });
    await this.#lookAgain(service);
    return checkpoint;
  }

  async prepare(tables: readonly SinkTable[]): Promise<FailedTables> {
    const wanted = this.#targets.unprepared(tables);
    if (wanted.length === 0) return [];
    const { targets, failed } = await prepareTargets({
      service: this.#opened,
      options: this.#options,
      partitions: this.#partitions,
      tables: wanted,
      leavesOut: this.#policies.ddl.ADDCOLUMN !== 'NORMAL',
      signal: this.#closing.signal,
    });
    this.#targets.add(targets);
    return failed;
  }

  async write(batch: Batch): Promise<FailedTables> {
    // While a commit is on its way, more than one buffer full has to wait for it.
    while (this.#committing !== null && this.load().isFull) await this.#committing.catch(() => {});
    if (this.#broken) throw lastCommitFailed();
    const failed: { table: TableId; error: PipelineError }[] = [];
    for (const part of batch.parts) {
      switch (part.kind) {
        case 'rows':
          failed.push(...this.#encode(part));
          break;
        case 'schema':
          failed.push(...this.#followSchema(part));
          break;
        case 'ddl':
          failed.push(...this.#refuseDdl(part));
          break;
        case 'empty':
          failed.push(...this.#orFailed(part.table.id, () => this.#empty(part)));
          break;
        case 'progress':
          break;
        default:
          assertNever(part);
      }
    }
    return failed;
  }

  load(): SinkLoad {
    const { rows, bytes, partitions, isEmpty } = this.#filling;
    return {
      // What alters a target is no row, and is to be done all the same.
      rows: rows === 0 && !isEmpty ? 1 : rows,
      bytes,
      isFull: bytes >= this.#bufferBytesMax || partitions >= this.#options.openPartitionsMax,
    };
  }

  async commit(checkpoint: Checkpoint): Promise<CommitResult> {
    if (this.#broken) throw lastCommitFailed();
    if (this.#committing !== null) throw new Error('a commit is in flight already');
    const buffer = this.#filling;
    this.#filling = this.#spare;
    this.#spare = buffer;
    const dirty = this.#dirty.open;
    const committing = new CommitAttempt({
      service: this.#opened,
      options: this.#options,
      journal: this.#journal,
      memory: buffer.memory,
      streams: this.#streams,
      buffer,
      checkpoint,
      signal: this.#closing.signal,
    }).run();
    this.#committing = committing;
    try {
      const result = await committing;
      this.#dirty.settle(dirty);
      for (const { table } of result.failed) this.drop(table);
      return result;
    } catch (error) {
      this.#broken = true;
      throw error;
    } finally {
      buffer.reset();
      this.#committing = null;
    }
  }

  drop(table: TableId): void {
    const target = this.#targets.find(table);
    if (target === undefined) return;
    target.ready = false;
    this.#filling.exclude(target);
  }

  async close(): Promise<void> {
    await this.#committing?.catch(() => {});
    this.#closing.abort();
    if (this.#service !== null) closeService(this.#service);
    this.#service = null;
  }

  get #opened(): Service {
    if (this.#service === null) throw new Error('a sink prepares and commits after it has recovered');
    return this.#service;
  }

  /** Whether a commit that failed has altered its targets is not known, nor whether somebody else has. */
  async #lookAgain(service: Service): Promise<void> {
    const { signal } = this.#closing;
    await inParallel(this.#targets.all(), LOOK_LIMIT, async (target) => {
      try {
        const facts = await tableFacts(service.rest, tunnelTarget(service, target.id), signal);
        if (facts !== null) target.refresh(facts.columns);
      } catch (error) {
        throw toPipelineError(error, `looking at ${describeTarget(target.id)}`);
      }
    });
  }

  #encode(part: RowsPart): FailedTables {
    const { id } = part.table;
    const target = this.#targets.of(id);
    if (target === null) return [];
    const dirty = { rows: 0, reason: '' };
    const onDirty = (reason: string) => {
      dirty.rows += 1;
      dirty.reason = reason;
    };
    const failed = this.#orFailed(id, () => this.#writer.write(part, this.#rowTarget(target, part.table, onDirty)));
    if (failed.length === 0) this.#dirty.leaveOut(id, dirty, this.#log);
    return failed;
  }

  #rowTarget(target: Target, table: TableVersion, onDirty: (reason: string) => void): RowTarget {
    const buffer = this.#filling;
    const changes = buffer.of(target);
    return {
      ...target.version(table, (version) => this.#partitions.of(version, this.#zone)),
      rows: {
        take: (partition, row, layout, isDelete) => buffer.take(changes, partition, row, layout, isDelete),
        onDirty,
      },
    };
  }

  /** A table whose rows cannot be taken fails alone. */
  #orFailed(table: TableId, work: () => void): FailedTables {
    try {
      work();
      return [];
    } catch (error) {
      if (!(error instanceof PipelineError) || error.kind !== 'table') throw error;
      return this.#fail(table, error);
    }
  }

  #followSchema(part: SchemaPart): FailedTables {
    const target = this.#targets.of(part.table.id);
    if (target === null) return [];
    const { added, error } = followSchema(part, target, {
      policies: this.#policies.ddl,
      partitions: this.#partitions,
    });
    if (error !== null) return this.#fail(part.table.id, error);
    const changes = this.#filling.of(target);
    for (const column of added) changes.added.set(column.name, column);
    return [];
  }

  #refuseDdl(part: DdlPart): FailedTables {
    const error = ddlRefusal(part);
    return error === null || this.#targets.of(part.table.id) === null ? [] : this.#fail(part.table.id, error);
  }

  #fail(table: TableId, error: PipelineError): FailedTables {
    this.drop(table);
    return [{ table, error }];
  }

  /** A log stays, and says that what was before is void; other tables are emptied. */
  #empty(part: EmptyPart): void {
    const target = this.#targets.of(part.table.id);
    if (target === null) return;
    if (target.form !== 'log') {
      const changes = this.#filling.of(target);
      this.#filling.clear(changes);
      changes.truncate = true;
      return;
    }
    this.#writer.writeVoid(
      part,
      this.#rowTarget(target, part.table, () => {}),
    );
  }
}
