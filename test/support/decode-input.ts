import { Duplex } from 'node:stream';
import { BinlogReader } from '../../src/connectors/mysql/binlog-reader.ts';
import { CapturedTable } from '../../src/connectors/mysql/captured-table.ts';
import { GroupTracker } from '../../src/connectors/mysql/group-tracker.ts';
import { PassedGtids } from '../../src/connectors/mysql/offset/passed-gtids.ts';
import type { LogPosition } from '../../src/connectors/mysql/offset/position.ts';
import type { Family } from '../../src/connectors/mysql/protocol/table-map.ts';
import { XaTransactions } from '../../src/connectors/mysql/xa/xa-transactions.ts';
import { LogPlaces } from '../../src/connectors/mysql/log-place.ts';
import { DEFAULT_READER_OPTIONS } from '../../src/connectors/mysql/options.ts';
import { LogEvents } from '../../src/connectors/mysql/log-events.ts';
import { RawConnection } from '../../src/connectors/mysql/protocol/raw-connection.ts';
import type { MysqlTable } from '../../src/connectors/mysql/types.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Part, RowImage, RowsPart } from '../../src/pipeline/batch.ts';
import { PipelineError } from '../../src/pipeline/pipeline-error.ts';
import { DEFAULT_DDL_POLICIES } from '../../src/pipeline/policies.ts';
import { allColumns, tableKey } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';

export interface DecodeOptions {
  readonly tables: readonly MysqlTable[];
  readonly charsets: Readonly<Record<string, string>>;
  /** Such as `MariaDB 10.11.19`. */
  readonly server: string;
}

export interface Decoded {
  /** One number per image delivered, over all its values, in order. */
  readonly images: readonly number[];
  /** What ended it; null when the bytes ended before anything was wrong. */
  readonly error: PipelineError | null;
}

/** The server ended the connection: how every input ends of which all was read. */
const END = 'MySQL.Unavailable';

/**
 * Reads what a server might send, as a run would, and visits every value.
 * Errors: whatever is not a PipelineError, and Error for a row that was delivered in part or reaches beyond its bytes.
 */
export async function decodeLog(
  chunks: readonly Buffer[],
  { tables, charsets, server }: DecodeOptions,
): Promise<Decoded> {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const reader = BinlogReader.over(
    new RawConnection(socket),
    { file: 'binlog.000001', position: 4 },
    { checksum: true },
  );
  for (const chunk of chunks) socket.push(chunk);
  socket.push(null);
  const images: number[] = [];
  try {
    const family = server.startsWith('MariaDB') ? 'mariadb' : 'mysql';
    const events = logEventsOf(tables, charsets, family, groupAt({ file: 'binlog.000001', position: 4 }, family));
    for (;;) {
      while (!reader.take()) await reader.more();
      const parts: Part[] = [];
      const later = events.handle(reader, parts);
      if (later !== undefined) await later;
      for (const part of parts) if (part.kind === 'rows') visitRows(part, images);
      reader.release();
    }
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { images, error: error.code === END ? null : error };
  } finally {
    reader.close();
  }
}

/** A tracker that begins there. */
export function groupAt(place: LogPosition, family: Family): GroupTracker {
  return new GroupTracker(place, new PassedGtids({ family, text: null, filesTell: true }));
}

/** What turns events into parts, with some tables that stream already. */
export function logEventsOf(
  shapes: readonly MysqlTable[],
  charsets: Readonly<Record<string, string>>,
  family: Family,
  group: GroupTracker,
): LogEvents {
  const tables = new Map(shapes.map((shape) => [tableKey(shape.version.id), streaming(shape)]));
  return new LogEvents({
    dml: DEFAULT_READER_OPTIONS.dmlPolicies,
    policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 1, intervalMinutes: 1 } },
    log: silentLog,
    tables,
    group,
    readFromGtids: null,
    xa: new XaTransactions(1 << 24),
    xaKnownFrom: null,
    fileBegun: null,
    notBefore: null,
    lowerCaseNames: false,
    family,
    places: new LogPlaces({ family, version: [0, 0, 0], serverId: 1 }, 0),
    charsetOf: (collation) => charsets[collation],
    shapeNow: (table) => Promise.resolve(table.shape),
    fail: (table, failure) => {
      table.state = 'FAILED';
      table.failure = failure;
      return { kind: 'progress', progress: table.progress() };
    },
    onDdl: () => {},
  });
}

function streaming(shape: MysqlTable): CapturedTable {
  const table = CapturedTable.fresh({
    shape,
    from: { file: 'binlog.000001', position: 4 },
    load: 'none',
    emptyFirst: false,
    rowBytes: 0,
    chunksAll: 0,
  });
  table.state = 'STREAMING';
  return table;
}

function visitRows(part: RowsPart, images: number[]): void {
  const columns = allColumns(part.table);
  if (!Number.isSafeInteger(part.count)) throw new Error(`a part of ${part.count} rows`);
  const visit = (row: number, image: RowImage) => {
    const check = new ValueCheck();
    part.visit(row, image, columns, check);
    if (check.values !== part.table.columns.length)
      throw new Error(`${check.values} of the row's ${part.table.columns.length} values were delivered`);
    images.push(check.sum);
  };
  for (let row = 0; row < part.count; row += 1) {
    if (part.op === 'update' || part.op === 'delete') visit(row, 'before');
    if (part.op !== 'delete') visit(row, 'after');
  }
}

/** Sums up the values of one image; every number must be one, and every text within its buffer. */
class ValueCheck implements ValueVisitor {
  values = 0;
  sum = 17;

  null(): void {
    this.#numbers(0.5);
  }
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new Error('an integer that is none');
    this.#numbers(value);
  }
  bigInteger(high: number, low: number, unsigned: boolean): void {
    this.#numbers(high, low, unsigned ? 1 : 0);
  }
  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  /** NaN and the infinities are patterns of bits like others. */
  float(value: number): void {
    this.#numbers(Number.isFinite(value) ? value : 3);
  }
  double(value: number): void {
    this.#numbers(Number.isFinite(value) ? value : 3);
  }
  text(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  date(year: number, month: number, day: number): void {
    this.#numbers(year, month, day);
  }
  time(micros: number): void {
    this.#numbers(micros);
  }
  datetime(...parts: number[]): void {
    this.#numbers(...parts);
  }
  instant(seconds: number, micros: number): void {
    this.#numbers(seconds, micros);
  }
  bits(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  label(buffer: Uint8Array, start: number, end: number, ordinal: number | bigint): void {
    this.#bytes(buffer, start, end);
    this.values -= 1;
    this.#numbers(Number(ordinal));
  }
  json(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  geometry(srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
    this.values -= 1;
    this.#numbers(srid);
  }
  vector(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }

  #bytes(buffer: Uint8Array, start: number, end: number): void {
    if (!(start >= 0 && start <= end && end <= buffer.length)) throw new Error('a value reaches beyond its bytes');
    let sum = this.sum;
    for (let at = start; at < end; at += 1) sum = Math.imul(sum ^ (buffer[at] ?? 0), 0x01000193);
    this.sum = Math.imul(sum ^ (end - start), 0x01000193);
    this.values += 1;
  }

  #numbers(...numbers: number[]): void {
    for (const value of numbers) {
      if (!Number.isFinite(value)) throw new Error('a number that is none');
      this.sum = Math.imul(this.sum ^ (value | 0), 0x01000193) ^ Math.imul((value / 4096) | 0, 31);
    }
    this.values += 1;
  }
}
