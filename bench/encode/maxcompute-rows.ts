import type { LogPlace, RowImage, RowsPart } from '../../src/pipeline/batch.ts';
import type { ColumnSet, TableVersion, ValueType } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';
import { TimeZone } from '../../src/lib/time-zone.ts';
import { CommitBuffer, type Slice, type TableChanges } from '../../src/connectors/maxcompute/encode/commit-buffer.ts';
import { DeltaBuffer } from '../../src/connectors/maxcompute/encode/delta-buffer.ts';
import { RowWriter } from '../../src/connectors/maxcompute/encode/row-writer.ts';
import { PartitionLimits } from '../../src/connectors/maxcompute/partition-limits.ts';
import { PartitionRule } from '../../src/connectors/maxcompute/partition.ts';
import { RowStream } from '../../src/connectors/maxcompute/protocol/row-stream.ts';
import { UPSERT_COLUMNS } from '../../src/connectors/maxcompute/protocol/upsert-session.ts';
import { Target } from '../../src/connectors/maxcompute/target.ts';
import { wantedTable } from '../../src/connectors/maxcompute/wanted-table.ts';
import { readRows } from '../../test/support/maxcompute/read-rows.ts';

const TYPES: Readonly<Record<string, ValueType>> = {
  id: { kind: 'integer', bytes: 8, unsigned: false },
  name: { kind: 'text' },
  note: { kind: 'text' },
  ratio: { kind: 'double' },
  flag: { kind: 'bits', width: 1 },
  amount: { kind: 'decimal', precision: 18, scale: 4 },
  day: { kind: 'date' },
  at: { kind: 'datetime', fraction: 3 },
};
const TABLE: TableVersion = {
  id: { database: 'shop', table: 'orders' },
  columns: Object.entries(TYPES).map(([name, type]) => ({
    name,
    type,
    nullable: true,
    sourceType: type.kind,
    comment: '',
    generated: false,
  })),
  key: [0],
};
const ROWS_PER_PART = 500;
const BLOCK_BYTES = 4 << 20;
const PLACE: Omit<LogPlace, 'position'> = {
  server: { system: 'mysql', version: '9.7.4', id: 1 },
  epoch: 0,
  file: 'binlog.000001',
  fileNumber: 1,
  within: 0,
  gtid: null,
};
const NAMES = Array.from({ length: 64 }, (_, index) => Buffer.from(`customer number ${index}`));
const NOTES = Array.from({ length: 64 }, (_, index) => Buffer.from(`物流 order ${index} shipped with care`));
const AMOUNTS = Array.from({ length: 64 }, (_, index) => Buffer.from(`${index * 7919}.${1000 + index}`));
const BITS = Uint8Array.of(0, 1);

/** Inserted rows, whose values a source would decode where they are made here. */
class MadeRows implements RowsPart {
  readonly kind = 'rows';
  readonly op = 'insert';
  readonly table = TABLE;
  readonly timeMicros = 1_704_067_200_000_000;
  readonly place: LogPlace;
  readonly count: number;
  readonly #first: number;

  constructor(first: number, count: number) {
    this.#first = first;
    this.count = count;
    this.place = { ...PLACE, position: 4 + first * 100 };
  }

  visit(row: number, _image: RowImage, _columns: ColumnSet, visitor: ValueVisitor): void {
    const number = this.#first + row;
    const name = NAMES[number & 63]!;
    const note = NOTES[number & 63]!;
    const amount = AMOUNTS[number & 63]!;
    visitor.integer(5_000_000_000 + number);
    visitor.text(name, 0, name.length);
    visitor.text(note, 0, note.length);
    visitor.double(number / 3);
    visitor.bits(BITS, number & 1, (number & 1) + 1);
    visitor.decimal(amount, 0, amount.length);
    visitor.date(2024, 1 + (number % 12), 1 + (number % 28));
    visitor.datetime(2024, 1, 1, 0, number % 60, 0, 0);
  }
}

/** Rows as the sink encodes them: into a commit's buffer, from there into blocks, of which each is one row stream. */
export class EncodedRows {
  readonly #writer = new RowWriter(new TimeZone('Asia/Shanghai'));
  readonly #partitions = PartitionRule.parse('pt=${yyyyMMdd}').of(TABLE, new TimeZone('Asia/Shanghai'));
  readonly #buffer = new CommitBuffer();
  readonly #stream = new RowStream();
  readonly #target: Target;
  #onBlock: (block: Uint8Array) => void = () => {};

  constructor(form: 'append' | 'log' | 'delta') {
    const columns = wantedTable(TABLE, form, ['pt']).columns.map(({ name, type }) => ({ name, type, nullable: true }));
    const facts = { columns, rows: 0, partitionColumns: ['pt'], primaryKey: form === 'delta' ? ['id'] : [] };
    const limits = new PartitionLimits(TABLE.id, []);
    this.#target = new Target({ table: TABLE, target: { schema: '', table: 'orders' } }, form, { facts, limits });
  }

  /** Returns the bytes of the row streams. */
  write(rows: number): number {
    const buffer = this.#buffer;
    const changes = buffer.of(this.#target);
    const version = this.#target.version(TABLE, () => this.#partitions);
    for (let first = 0; first < rows; first += ROWS_PER_PART) {
      this.#writer.write(new MadeRows(first, Math.min(ROWS_PER_PART, rows - first)), {
        ...version,
        rows: {
          take: (partition, row, layout, isDelete) => buffer.take(changes, partition, row, layout, isDelete),
          onDirty: (reason) => {
            throw new Error(reason);
          },
        },
      });
    }
    let bytes = 0;
    for (const slice of changes.slices.values()) bytes += this.#blocks(changes, slice);
    buffer.reset();
    return bytes;
  }

  /** What was measured must be what a reader accepts. */
  check(): void {
    const count = 1000;
    const { columns, form } = this.#target;
    const types = [...columns, ...(form === 'delta' ? UPSERT_COLUMNS : [])].map(({ type }) => type);
    let read = 0;
    this.#onBlock = (block) => {
      read += readRows(block, types).length;
    };
    this.write(count);
    if (read !== count) throw new Error(`${read} of ${count} rows were read back`);
  }

  #blocks({ target }: TableChanges, { rows }: Slice): number {
    const stream = this.#stream;
    const { memory } = this.#buffer;
    const order = rows instanceof DeltaBuffer ? rows.byBucket(16).order : null;
    let bytes = 0;
    for (let entry = 0; entry < rows.count; ) {
      stream.reset();
      for (; entry < rows.count && stream.at < BLOCK_BYTES; entry += 1) {
        if (rows instanceof DeltaBuffer) rows.writeRow(order![entry]!, memory.bytes, target.columns.length, stream);
        else rows.writeRow(entry, memory.bytes, stream);
      }
      const block = stream.finish();
      bytes += block.length;
      this.#onBlock(block);
    }
    return bytes;
  }
}
