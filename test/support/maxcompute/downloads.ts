import { randomUUID } from 'node:crypto';
import { CRC_START, crcOfBytes, crcOfInt32, crcValue } from '../../../src/connectors/maxcompute/protocol/crc32c.ts';
import { FIELD, RowStream, WIRE_TYPE } from '../../../src/connectors/maxcompute/protocol/row-stream.ts';
import { type RowValue, writeRow } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { VARINT_BYTES_MAX, writeVarint } from '../../../src/connectors/maxcompute/protocol/varint.ts';
import { Refusal } from './refusal.ts';
import { partitionOf, sessionOf } from './session-place.ts';
import type { DoubleTable, TableShape } from './tables.ts';

interface Download {
  readonly id: string;
  readonly table: DoubleTable;
  readonly shape: TableShape;
  readonly partition: string;
  /** As they were when the session began. */
  readonly rows: readonly (readonly RowValue[])[];
}

/** The download sessions of the double: the rows of a table or partition as they were when the session began. */
export class Downloads {
  /** What the service says of how it read the rows, in the footer of each stream; null: nothing. */
  metrics: string | null = null;
  readonly #downloads = new Map<string, Download>();

  begin(table: DoubleTable, params: URLSearchParams): object {
    const partition = partitionOf(table, params, false);
    const rows = table.rows(partition).map((row) => [...row]);
    const download: Download = { id: randomUUID(), table, shape: table.shape(), partition, rows };
    this.#downloads.set(download.id, download);
    return view(download);
  }

  show(table: DoubleTable, params: URLSearchParams): object {
    return view(this.#find(table, params));
  }

  /** A row stream of `rowrange=(first,count)`, of the columns that are wanted, numbered as they are wanted. */
  data(table: DoubleTable, params: URLSearchParams): Uint8Array {
    if (params.has('arrow')) throw new Refusal(400, 'InvalidArgument', 'Arrow is not written here');
    const { rows, shape } = this.#find(table, params);
    const [, first, count] = /^\((\d+),(\d+)\)$/.exec(params.get('rowrange') ?? '') ?? [];
    if (first === undefined || Number(first) + Number(count) > rows.length)
      throw new Refusal(400, 'InvalidRowRange', `there are ${rows.length} rows`);
    const indexes = wantedOf(shape, params.get('columns'));
    const stream = new RowStream();
    const types = indexes.map((index) => shape.columns[index]?.type ?? { kind: 'string' as const });
    for (const row of rows.slice(Number(first), Number(first) + Number(count))) {
      const wanted = indexes.map((index) => row[index] ?? null);
      writeRow(stream, types, wanted);
    }
    return this.metrics === null ? stream.finish() : withMetrics(stream.finish(), this.metrics);
  }

  #find(table: DoubleTable, params: URLSearchParams): Download {
    return sessionOf(this.#downloads, table, { params, id: 'downloadid', missing: 'NoSuchDownload' });
  }
}

/** The places of the columns; all without names. */
function wantedOf({ columns }: TableShape, names: string | null): number[] {
  if (names === null || names === '') return [...columns.keys()];
  return names.split(',').map((name) => {
    const index = columns.findIndex((column) => column.name === name.toLowerCase());
    if (index < 0) throw new Refusal(400, 'NoSuchColumn', `there is no column ${name}`);
    return index;
  });
}

const METRICS = { FIELD: 1, END: 33554176 } as const;

/** Between count and checksum: tag | length | text | END tag | CRC of the field's number and the text. */
function withMetrics(rows: Uint8Array, metrics: string): Uint8Array {
  const text = Buffer.from(metrics);
  const view = new DataView(text.buffer, text.byteOffset, text.length);
  const crc = crcOfBytes(crcOfInt32(CRC_START, METRICS.FIELD), view, 0, text.length);
  const place = Buffer.from(rows).lastIndexOf(varints(FIELD.CHECKSUM * 8 + WIRE_TYPE.VARINT));
  return Buffer.concat([
    rows.subarray(0, place),
    varints(METRICS.FIELD * 8 + WIRE_TYPE.BYTES, text.length),
    text,
    varints(METRICS.END * 8 + WIRE_TYPE.VARINT, crcValue(crc)),
    rows.subarray(place),
  ]);
}

function varints(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * VARINT_BYTES_MAX);
  return bytes.subarray(
    0,
    values.reduce((at, value) => writeVarint(bytes, at, value), 0),
  );
}

function view({ id, shape, rows }: Download): object {
  return {
    DownloadID: id,
    Status: 'normal',
    Schema: shape.schema,
    RecordCount: rows.length,
    QuotaName: 'default',
    Owner: 'double',
    Initiated: '2024-01-01 00:00:00',
  };
}
