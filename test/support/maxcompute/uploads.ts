import { randomUUID } from 'node:crypto';
import { MalformedRows, readRows } from './read-rows.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { checkPartition } from './partitions.ts';
import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';

interface Upload {
  readonly id: string;
  readonly table: DoubleTable;
  readonly partition: string;
  readonly overwrite: boolean;
  readonly blocks: Map<number, RowValue[][]>;
  status: 'normal' | 'closed' | 'expired';
}

/** The batch uploads of the double: rows are staged by block, checked, and visible only once committed. */
export class Uploads {
  readonly #uploads = new Map<string, Upload>();

  begin(table: DoubleTable, params: URLSearchParams): object {
    const partition = partitionOf(table, params, params.get('create_partition') === 'true');
    const overwrite = params.get('overwrite') === 'true';
    const upload: Upload = { id: randomUUID(), table, partition, overwrite, blocks: new Map(), status: 'normal' };
    this.#uploads.set(upload.id, upload);
    return view(upload);
  }

  show(table: DoubleTable, params: URLSearchParams): object {
    return view(this.#find(table, params));
  }

  put(table: DoubleTable, params: URLSearchParams, body: Uint8Array): void {
    const upload = this.#find(table, params);
    const block = Number(params.get('blockid'));
    if (!Number.isInteger(block) || block < 0 || block > 19_999)
      throw new Refusal(400, 'InvalidBlockID', 'block ids are from 0 to 19999');
    if (upload.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the upload is ${upload.status}`);
    upload.blocks.set(block, checkedRows(body, table.columns));
  }

  commit(table: DoubleTable, params: URLSearchParams): object {
    const upload = this.#find(table, params);
    if (upload.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the upload is ${upload.status}`);
    upload.status = 'closed';
    if (upload.overwrite) table.partitions.set(upload.partition, []);
    for (const [, rows] of [...upload.blocks].sort(([a], [b]) => a - b)) table.append(upload.partition, rows);
    return view(upload);
  }

  /** As if a day had passed. */
  expireAll(): void {
    for (const upload of this.#uploads.values()) if (upload.status === 'normal') upload.status = 'expired';
  }

  #find(table: DoubleTable, params: URLSearchParams): Upload {
    const upload = this.#uploads.get(params.get('uploadid') ?? '');
    if (upload === undefined || upload.table !== table)
      throw new Refusal(404, 'NoSuchUpload', 'there is no such upload');
    if ((params.get('partition') ?? '') !== upload.partition)
      throw new Refusal(400, 'InvalidResourceSpec', 'the upload is of another partition');
    return upload;
  }
}

/** The partition that a call names. */
export function partitionOf(table: DoubleTable, params: URLSearchParams, create: boolean): string {
  const partition = params.get('partition') ?? '';
  if (table.partitionColumns.length === 0) {
    if (partition !== '') throw new Refusal(400, 'InvalidPartitionSpec', 'the table has no partitions');
    return '';
  }
  if (partition === '') throw new Refusal(400, 'MissingPartitionSpec', 'the table has partitions');
  const names = partition.split(',').map((level) => level.split('=')[0]);
  if (names.join() !== table.partitionColumns.join())
    throw new Refusal(400, 'InvalidPartitionSpec', `the levels are ${table.partitionColumns.join()}`);
  if (!table.partitions.has(partition)) {
    if (!create) throw new Refusal(404, 'NoSuchPartition', `there is no partition ${partition}`);
    checkPartition(table, partition);
    table.partitions.set(partition, []);
  }
  return partition;
}

export function checkedRows(body: Uint8Array, columns: DoubleTable['columns']): RowValue[][] {
  try {
    return readRows(
      body,
      columns.map(({ type }) => type),
    );
  } catch (error) {
    if (error instanceof MalformedRows) throw new Refusal(400, 'MalformedDataStream', error.message);
    throw error;
  }
}

function view({ id, table, status, blocks }: Upload): object {
  return {
    UploadID: id,
    Status: status,
    Schema: table.schema(),
    MaxFieldSize: 8 * 2 ** 20,
    QuotaName: 'default',
    Owner: 'double',
    Initiated: '2024-01-01 00:00:00',
    IsOverwrite: 'false',
    UploadedBlockList: [...blocks].map(([BlockID, rows]) => ({
      BlockID,
      RecordCount: rows.length,
      FileName: `block${BlockID}`,
      CreateTime: 0,
      Date: '',
      Version: '',
    })),
  };
}
