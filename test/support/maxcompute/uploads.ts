import { randomUUID } from 'node:crypto';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { checkedRows } from './checked-rows.ts';
import { CommitCourse, type CommitOnItsWay } from './commit-course.ts';
import type { Pace } from './limits.ts';
import { Refusal } from './refusal.ts';
import { partitionOf, sessionOf } from './session-place.ts';
import type { DoubleTable, TableShape } from './tables.ts';

interface Upload {
  readonly id: string;
  readonly table: DoubleTable;
  readonly shape: TableShape;
  readonly partition: string;
  readonly overwrite: boolean;
  readonly blocks: Map<number, RowValue[][]>;
  status: 'normal' | 'closing' | 'closed' | 'critical' | 'expired';
  commit: CommitOnItsWay | null;
}

const BLOCK_ID_MAX = 19_999;

/** The batch uploads of the double: rows are staged by block, checked, and visible only once committed. */
export class Uploads {
  readonly course = new CommitCourse(0);
  readonly #pace: Pace;
  readonly #uploads = new Map<string, Upload>();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  begin(table: DoubleTable, params: URLSearchParams): object {
    if (table.key.length > 0) throw new Refusal(400, 'InvalidArgument', 'a table with a primary key is upserted');
    const partition = partitionOf(table, params, params.get('create_partition') === 'true');
    this.#pace.take('uploadsBegun', table);
    const upload: Upload = {
      id: randomUUID(),
      table,
      shape: table.shape(),
      partition,
      overwrite: params.get('overwrite') === 'true',
      blocks: new Map(),
      status: 'normal',
      commit: null,
    };
    this.#uploads.set(upload.id, upload);
    return view(upload);
  }

  show(table: DoubleTable, params: URLSearchParams): object {
    const upload = this.#find(table, params);
    proceed(upload);
    return view(upload);
  }

  put(table: DoubleTable, params: URLSearchParams, body: Uint8Array): void {
    const upload = this.#find(table, params);
    const block = Number(params.get('blockid') ?? Number.NaN);
    if (!Number.isInteger(block) || block < 0 || block > BLOCK_ID_MAX)
      throw new Refusal(400, 'InvalidBlockID', `block ids are from 0 to ${BLOCK_ID_MAX}`);
    if (params.has('arrow')) throw new Refusal(400, 'InvalidArgument', 'Arrow is not read here');
    if (upload.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the upload is ${upload.status}`);
    upload.blocks.set(block, checkedRows(body, upload.shape.columns));
  }

  commit(table: DoubleTable, params: URLSearchParams): object {
    const upload = this.#find(table, params);
    if (upload.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the upload is ${upload.status}`);
    this.#pace.take('uploadsCommitted', table);
    upload.status = 'closing';
    upload.commit = this.course.begin();
    proceed(upload);
    return view(upload);
  }

  /** As if a day had passed. */
  expireAll(): void {
    for (const upload of this.#uploads.values()) if (upload.status === 'normal') upload.status = 'expired';
  }

  #find(table: DoubleTable, params: URLSearchParams): Upload {
    return sessionOf(this.#uploads, table, { params, id: 'uploadid', missing: 'NoSuchUpload' });
  }
}

/** A commit that is on its way comes nearer to its end with every answer. */
function proceed(upload: Upload): void {
  const { commit, table, partition, overwrite, blocks } = upload;
  if (upload.status !== 'closing' || commit === null) return;
  if (commit.answers > 0) {
    commit.answers -= 1;
    return;
  }
  upload.status = commit.fails ? 'critical' : 'closed';
  if (commit.fails) return;
  if (overwrite) table.truncate(partition);
  for (const [, rows] of [...blocks].sort(([a], [b]) => a - b)) table.append(partition, rows);
}

function view({ id, shape, status, overwrite, blocks }: Upload): object {
  return {
    UploadID: id,
    Status: status,
    Schema: shape.schema,
    MaxFieldSize: 8 * 2 ** 20,
    QuotaName: 'default',
    Owner: 'double',
    Initiated: '2024-01-01 00:00:00',
    IsOverwrite: String(overwrite),
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
