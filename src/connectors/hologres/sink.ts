import { assertNever } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Batch, DdlPart, EmptyPart, RowsPart, SchemaPart } from '../../pipeline/batch.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import type { OpenSinkOptions } from '../../pipeline/connector.ts';
import { ddlRefusal } from '../../pipeline/ddl-unsupported.ts';
import { DirtyRows } from '../../pipeline/dirty-rows.ts';
import { lastCommitFailed } from '../../pipeline/last-commit-failed.ts';
import type { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { SinkTable } from '../../pipeline/route.ts';
import type { CommitResult, FailedTables, Sink, SinkLoad } from '../../pipeline/sink.ts';
import { SinkTargets } from '../../pipeline/sink-targets.ts';
import type { TableId } from '../../pipeline/table.ts';
import { CheckpointTable } from './checkpoint-table.ts';
import { CommitAttempts } from './commit-attempts.ts';
import { CommitBuffer } from './commit-buffer.ts';
import { mergeRows } from './encode/merge-rows.ts';
import { RowEncoder } from './encode/row-encoder.ts';
import { DIRTY_REASONS } from './encode/wire.ts';
import { toPipelineError } from './errors.ts';
import { followSchema } from './follow-schema.ts';
import { targetKey } from './names.ts';
import { asHologresSettings, parseHologresOptions, type HologresOptions, type HologresSettings } from './options.ts';
import { prepareTargets } from './prepare-targets.ts';
import { Session } from './session.ts';
import type { Target } from './target.ts';
import { readTargets } from './target-catalogue.ts';

/**
 * So many rows of loads share a commit at most, so that it is short: a change that streams waits for the commit on its way
 * and for its own, and loads have always more to bring.
 */
const LOADED_ROWS_MAX = 12_000;

/**
 * Writes into Hologres or PostgreSQL. Rows are encoded and merged by key as they come; a commit writes what is left of
 * them. Two buffers take turns, so that encoding goes on while a commit is on its way.
 */
export class HologresSink implements Sink {
  readonly commitIntervalMs = 10;
  readonly #settings: HologresSettings;
  readonly #options: HologresOptions;
  readonly #policies: OpenSinkOptions['policies'];
  readonly #log: Logger;
  readonly #checkpoints: CheckpointTable;
  readonly #targets = new SinkTargets<Target>(targetKey);
  readonly #encoder: RowEncoder;
  /** Of each of the two buffers. */
  readonly #bufferBytesMax: number;
  #session: Session | null = null;
  #holdsCheckpoint = false;
  #filling: CommitBuffer;
  #spare: CommitBuffer;
  #committing: Promise<unknown> | null = null;
  readonly #dirty: DirtyRows;
  #broken = false;

  constructor({ settings, options, owner, policies, memoryBytes, log }: OpenSinkOptions) {
    this.#settings = asHologresSettings(settings);
    this.#options = parseHologresOptions(options);
    this.#policies = policies;
    this.#dirty = new DirtyRows(policies.errorLimit);
    this.#log = log;
    this.#checkpoints = new CheckpointTable(owner);
    this.#bufferBytesMax = memoryBytes / 2;
    this.#filling = new CommitBuffer(this.#options.commitBytesMax);
    this.#spare = new CommitBuffer(this.#options.commitBytesMax);
    this.#encoder = new RowEncoder(this.#filling.arena);
  }

  get holdsCheckpoint(): boolean {
    return this.#holdsCheckpoint;
  }

  get dirtyRows(): number {
    return this.#dirty.count;
  }

  async recover(): Promise<Checkpoint | null> {
    await this.#committing?.catch(() => {});
    this.#session?.close();
    this.#session = null;
    this.#filling.reset(false);
    this.#spare.reset(false);
    this.#dirty.rewind();
    this.#broken = false;
    const session = await Session.open(this.#settings);
    this.#session = session;
    this.#holdsCheckpoint = false;
    await this.#readAgain(session);
    if (session.server.kind !== 'postgresql') return null;
    try {
      this.#holdsCheckpoint = await CheckpointTable.create(session.client);
      return this.#holdsCheckpoint ? await this.#checkpoints.load(session.client) : null;
    } catch (error) {
      throw toPipelineError(error, 'reading the checkpoint');
    }
  }

  async prepare(tables: readonly SinkTable[]): Promise<FailedTables> {
    const wanted = this.#targets.unprepared(tables);
    if (wanted.length === 0) return [];
    const { targets, failed } = await prepareTargets({
      settings: this.#settings,
      options: this.#options,
      tables: wanted,
      leavesOut: this.#policies.ddl.ADDCOLUMN !== 'NORMAL',
    });
    this.#targets.add(targets);
    return failed;
  }

  async write(batch: Batch): Promise<FailedTables> {
    // While a commit is on its way, more than one buffer full has to wait for it.
    while (this.#committing !== null && this.#isFull()) await this.#committing.catch(() => {});
    if (this.#broken) throw lastCommitFailed();
    const failed: { table: TableId; error: PipelineError }[] = [];
    for (const part of batch.parts) {
      switch (part.kind) {
        case 'rows':
          this.#mergeRows(part);
          break;
        case 'schema':
          failed.push(...this.#followSchema(part));
          break;
        case 'ddl':
          failed.push(...this.#refuseDdl(part));
          break;
        case 'empty':
          this.#empty(part);
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
    const { rows, bytes } = this.#filling;
    return { rows, bytes, isFull: bytes >= this.#bufferBytesMax };
  }

  async commit(checkpoint: Checkpoint): Promise<CommitResult> {
    if (this.#broken) throw lastCommitFailed();
    if (this.#committing !== null) throw new Error('a commit is in flight already');
    const buffer = this.#filling;
    this.#filling = this.#spare;
    this.#spare = buffer;
    const dirty = this.#dirty.open;
    const committing = this.#write(buffer, checkpoint);
    this.#committing = committing;
    let isWritten = false;
    try {
      const result = await committing;
      isWritten = true;
      this.#dirty.settle(dirty + buffer.refused);
      for (const { table } of result.failed) this.#leaveOut(table);
      return result;
    } catch (error) {
      this.#broken = true;
      throw error;
    } finally {
      buffer.reset(isWritten);
      this.#committing = null;
    }
  }

  drop(table: TableId): void {
    const target = this.#targets.find(table);
    if (target === undefined) return;
    target.ready = false;
    this.#leaveOut(table);
  }

  async close(): Promise<void> {
    await this.#committing?.catch(() => {});
    this.#session?.close();
    this.#session = null;
  }

  async #write(buffer: CommitBuffer, checkpoint: Checkpoint): Promise<CommitResult> {
    const session = this.#session;
    if (session === null) throw new Error('a sink commits after it has recovered');
    const attempts = new CommitAttempts({
      session,
      buffer,
      checkpoint,
      checkpoints: this.#holdsCheckpoint ? this.#checkpoints : null,
      staged: session.server.kind === 'postgresql' && this.#options.writePath !== 'fixed',
      dirty: this.#dirty,
      log: this.#log,
    });
    return attempts.run();
  }

  /** Whether a commit that failed has altered its targets is not known. */
  async #readAgain({ client }: Session): Promise<void> {
    const targets = this.#targets.all();
    if (targets.length === 0) return;
    try {
      const found = await readTargets(
        client,
        targets.map(({ id }) => id),
      );
      for (const target of targets) target.refresh(found.get(targetKey(target.id))?.columns ?? []);
    } catch (error) {
      throw toPipelineError(error, 'reading the target’s catalogue');
    }
  }

  #isFull(): boolean {
    const { rows, bytes, isFull } = this.load();
    const { commitRowsMax, commitBytesMax } = this.#options;
    return isFull || rows >= commitRowsMax || bytes >= commitBytesMax || this.#filling.loaded >= LOADED_ROWS_MAX;
  }

  #mergeRows(part: RowsPart): void {
    const target = this.#targets.of(part.table.id);
    if (target === null) return;
    const { arena } = this.#filling;
    const buffer = this.#filling.of(target);
    const before = buffer.count;
    let dirty = 0;
    let reason = 0;
    mergeRows(part, target.layout(part.table), { arena, buffer, encoder: this.#encoder }, (why) => {
      dirty++;
      reason = why;
    });
    this.#filling.rows += buffer.count - before;
    if (part.op === 'read') this.#filling.loaded += part.count;
    this.#dirty.leaveOut(part.table.id, { rows: dirty, reason: DIRTY_REASONS[reason] ?? '' }, this.#log);
  }

  #followSchema(part: SchemaPart): FailedTables {
    const target = this.#targets.of(part.table.id);
    if (target === null) return [];
    const { clauses, error } = followSchema(part, {
      target,
      policies: this.#policies.ddl,
      knowsIfNotExists: this.#session?.server.kind === 'postgresql',
    });
    if (error !== null) return this.#fail(part.table.id, error);
    for (const clause of clauses) this.#filling.alterations.push({ target, clause });
    // A buffer without rows is part of the commit too, so that a failure to alter finds its table.
    this.#filling.of(target);
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

  #empty(part: EmptyPart): void {
    const target = this.#targets.of(part.table.id);
    if (target === null) return;
    const buffer = this.#filling.of(target);
    this.#filling.rows -= buffer.count;
    buffer.restart();
  }

  #leaveOut(table: TableId): void {
    const target = this.#targets.find(table);
    if (target !== undefined) this.#filling.exclude(target);
  }
}
