import { randomUUID } from 'node:crypto';
import { RowStream } from '../../../src/connectors/maxcompute/protocol/row-stream.ts';
import { type RowValue, writeRow } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
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
    return stream.finish();
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
