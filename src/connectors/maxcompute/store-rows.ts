import { pause } from '../../lib/retry.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { DeltaBuffer } from './encode/delta-buffer.ts';
import { RowList } from './encode/row-list.ts';
import type { Slice } from './encode/commit-buffer.ts';
import { describeTarget } from './names.ts';
import type { MaxComputeOptions } from './options.ts';
import { columnTypeText } from './protocol/column-type.ts';
import { compress } from './protocol/compression.ts';
import { retryRuleOf } from './protocol/retry-rule.ts';
import type { RowStream } from './protocol/row-stream.ts';
import { ServiceError } from './protocol/service-error.ts';
import { runSql } from './protocol/sql-instance.ts';
import type { SessionColumn } from './protocol/tunnel-target.ts';
import { UploadSession } from './protocol/upload-session.ts';
import { UPSERT_COLUMNS, UpsertSession } from './protocol/upsert-session.ts';
import { type Service, tunnelTarget } from './service.ts';
import { addPartition } from './statements.ts';
import type { Target } from './target.ts';

/** How long a column that was just added may take until the tunnel sees it. */
const SCHEMA_WAIT_MS = 300_000;
const SCHEMA_ASK_MS = 5000;

export interface StoreRows {
  readonly service: Service;
  readonly options: MaxComputeOptions;
  /** Rows as they were encoded. */
  readonly memory: RowStream;
  readonly signal: AbortSignal;
}

/** A target, and the columns that rows were encoded for. */
interface Encoded {
  readonly target: Target;
  readonly columns: Target['columns'];
}

/** Begins a session for a partition of a target, which is made if it is missing. Errors: ServiceError; PipelineError. */
export async function beginSession(
  encoded: Encoded,
  { partition }: Slice,
  { service, options, signal }: StoreRows,
): Promise<UploadSession | UpsertSession> {
  const { target } = encoded;
  const where = tunnelTarget(service, target.id, partition.spec);
  const until = Date.now() + SCHEMA_WAIT_MS;
  for (let waits = 0; ; waits++) {
    // A service that is fast is asked often.
    if (waits > 0) await pause(Math.min(SCHEMA_ASK_MS, options.retryFirstMs * 2 ** waits), signal);
    try {
      const session =
        target.form === 'delta'
          ? await UpsertSession.begin(service.tunnel, where, signal)
          : await UploadSession.begin(service.tunnel, where, { overwrite: false, createPartition: true }, signal);
      if (!lacks(session, encoded) || Date.now() >= until || signal.aborted) return fitting(session, encoded);
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'NoSuchPartition' && waits === 0) {
        const query = addPartition({ ...where, table: target.id.table }, partition.levels);
        await runSql(service.rest, { project: service.project, ...schemaOf(where), query }, signal);
      } else if (retryRuleOf(error).kind !== 'notYet' || Date.now() >= until || signal.aborted) throw error;
    }
  }
}

/** The session that the rows of one partition are stored in. */
export class StoredSlice {
  readonly target: Target;
  readonly slice: Slice;
  readonly session: UploadSession | UpsertSession;
  /** Of an upload: how many blocks it has. */
  blocks = 0;

  constructor(target: Target, slice: Slice, session: UploadSession | UpsertSession) {
    this.target = target;
    this.slice = slice;
    this.session = session;
  }

  /** What is to be sent, as tasks that may be done at the same time, each with a stream of its own. */
  tasks(store: StoreRows): ((stream: RowStream) => Promise<void>)[] {
    const { session } = this;
    const { rows } = this.slice;
    if (session instanceof UploadSession) {
      if (!(rows instanceof RowList)) throw new Error('rows by key are not appended');
      const bounds = rows.blockBounds(store.options.blockBytesMax);
      this.blocks = bounds.length - 1;
      return Array.from({ length: this.blocks }, (_, block) => {
        const [from = 0, to = 0] = bounds.slice(block);
        return (stream) => append({ rows, from, to }, { session, block }, store, stream);
      });
    }
    if (!(rows instanceof DeltaBuffer)) throw new Error('rows without key are not upserted');
    const { order, from } = rows.byBucket(session.buckets);
    const columns = session.columns.length - UPSERT_COLUMNS.length;
    return Array.from({ length: session.buckets }, (_, bucket) => bucket)
      .filter((bucket) => (from[bucket + 1] ?? 0) > (from[bucket] ?? 0))
      .map((bucket) => (stream) => {
        const entries = order.subarray(from[bucket], from[bucket + 1]);
        return upsert({ rows, entries, columns }, { session, bucket }, store, stream);
      });
  }
}

async function append(
  { rows, from, to }: { rows: RowList; from: number; to: number },
  { session, block }: { session: UploadSession; block: number },
  { options: { compression }, memory, signal }: StoreRows,
  stream: RowStream,
): Promise<void> {
  stream.reset();
  for (let entry = from; entry < to; entry += 1) rows.writeRow(entry, memory.bytes, stream);
  const packed = await compress(stream.finish(), compression);
  await session.writeBlock(block, packed, compression, signal);
}

async function upsert(
  { rows, entries, columns }: { rows: DeltaBuffer; entries: Int32Array; columns: number },
  { session, bucket }: { session: UpsertSession; bucket: number },
  { options: { compression, blockBytesMax }, memory, signal }: StoreRows,
  stream: RowStream,
): Promise<void> {
  for (let at = 0; at < entries.length; ) {
    stream.reset();
    while (at < entries.length && stream.at < blockBytesMax)
      rows.writeRow(entries[at++] ?? 0, memory.bytes, columns, stream);
    const packed = await compress(stream.finish(), compression);
    await session.write(bucket, { rows: stream.rows, packed, compression }, signal);
  }
}

/** The session was begun before the tunnel knew of columns that were added. */
function lacks(session: UploadSession | UpsertSession, { columns }: Encoded): boolean {
  return ownColumns(session).length < columns.length;
}

/**
 * Rows were encoded for the columns that we know, and hashed as we know it: a session that has others was begun after somebody
 * altered the table. Errors: PipelineError `transient`: the table is looked at anew, and its rows are read again.
 */
function fitting<T extends UploadSession | UpsertSession>(session: T, { target, columns }: Encoded): T {
  const found = ownColumns(session);
  const isAltered = columns.some((column, index) => !isSame(column, found[index]));
  const hashesOtherwise = session instanceof UpsertSession && session.hasher !== target.hasher;
  if (session instanceof UpsertSession) target.learnHasher(session.hasher);
  if (isAltered || hashesOtherwise)
    throw new PipelineError(
      'transient',
      'Sink.TargetAltered',
      `${describeTarget(target.id)} is not as it was when its rows were encoded`,
      { hint: 'The run looks at the table and reads its rows again by itself.' },
    );
  return session;
}

function ownColumns(session: UploadSession | UpsertSession): readonly SessionColumn[] {
  return session instanceof UpsertSession ? session.columns.slice(0, -UPSERT_COLUMNS.length) : session.columns;
}

function isSame({ name, type }: SessionColumn, other: SessionColumn | undefined): boolean {
  return (
    other !== undefined &&
    name.toLowerCase() === other.name.toLowerCase() &&
    columnTypeText(type) === columnTypeText(other.type)
  );
}

function schemaOf({ schema }: { schema?: string }): { schema?: string } {
  return schema === undefined ? {} : { schema };
}
