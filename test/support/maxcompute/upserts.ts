import { randomUUID } from 'node:crypto';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { UPSERT_COLUMNS, UPSERT_OPERATION } from '../../../src/connectors/maxcompute/protocol/upsert-session.ts';
import { checkedRows } from './checked-rows.ts';
import { CommitCourse, type CommitOnItsWay } from './commit-course.ts';
import type { Pace } from './limits.ts';
import { plainBucket, plainHash } from './plain-hash.ts';
import { Refusal } from './refusal.ts';
import { partitionOf, sessionOf } from './session-place.ts';
import type { DoubleTable, TableShape } from './tables.ts';

interface Upsert {
  readonly id: string;
  readonly table: DoubleTable;
  readonly shape: TableShape;
  readonly partition: string;
  readonly buckets: number;
  readonly staged: { readonly row: RowValue[]; readonly isDelete: boolean }[];
  status: 'normal' | 'committing' | 'committed' | 'critical' | 'aborted' | 'expired';
  commit: CommitOnItsWay | null;
}

const SLOTS = 2;
const MISSING = 'UpsertSessionNotFound';

/** The upsert sessions of the double: every row in its bucket, staged until the commit, which takes two calls. */
export class Upserts {
  readonly course = new CommitCourse(1);
  /** Of the sessions that begin from now on. */
  buckets = 4;
  /** Whether a row in a wrong bucket is refused. */
  checksBuckets = true;
  readonly #pace: Pace;
  readonly #upserts = new Map<string, Upsert>();
  #moves = 0;
  #saysWhere = true;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  begin(table: DoubleTable, params: URLSearchParams): object {
    if (table.key.length === 0) throw new Refusal(400, 'InvalidArgument', 'the table has no primary key');
    const upsert: Upsert = {
      id: randomUUID(),
      table,
      shape: table.shape(),
      partition: partitionOf(table, params, false),
      buckets: this.buckets,
      staged: [],
      status: 'normal',
      commit: null,
    };
    this.#upserts.set(upsert.id, upsert);
    return this.#view(upsert);
  }

  show(table: DoubleTable, params: URLSearchParams): object {
    const upsert = this.#find(table, params);
    proceed(upsert);
    return this.#view(upsert);
  }

  /** Returns the address of the bucket's slot. */
  put(table: DoubleTable, params: URLSearchParams, { server, body }: { server: string; body: Uint8Array }): string {
    const upsert = this.#find(table, params);
    const bucket = Number(params.get('bucketid') ?? Number.NaN);
    const slot = bucket % SLOTS;
    if (Number(params.get('slotid')) !== slot || bucket >= upsert.buckets)
      throw new Refusal(400, 'InvalidArgument', `bucket ${bucket} is of slot ${slot}, of ${upsert.buckets}`);
    const address = this.#address(slot);
    if (server !== address)
      throw new Refusal(
        308,
        'SlotReassigned',
        'the slot is elsewhere',
        this.#saysWhere ? { 'odps-tunnel-routed-server': address } : {},
      );
    if (upsert.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the session is ${upsert.status}`);
    // What must not be NULL is checked below: deletes have nothing but their key.
    const columns = upsert.shape.columns.map(({ name, type }) => ({ name, type }));
    const rows = checkedRows(body, [...columns, ...UPSERT_COLUMNS]);
    if (rows.length !== Number(params.get('record_count')))
      throw new Refusal(400, 'InvalidArgument', 'the record_count is wrong');
    upsert.staged.push(...rows.map((row) => staged(upsert, this.checksBuckets ? bucket : null, row)));
    return address;
  }

  commit(table: DoubleTable, params: URLSearchParams): object {
    const upsert = this.#find(table, params);
    switch (upsert.status) {
      case 'normal':
        this.#pace.take('upsertsCommitted', table, upsert.partition);
        upsert.status = 'committing';
        upsert.commit = this.course.begin();
        proceed(upsert);
        break;
      case 'committing':
        proceed(upsert);
        break;
      case 'committed':
        this.#upserts.delete(upsert.id);
        throw new Refusal(404, MISSING, 'there is no such session');
      case 'critical':
      case 'aborted':
      case 'expired':
        throw new Refusal(409, 'StatusConflict', `the session is ${upsert.status}`);
    }
    return this.#view(upsert);
  }

  abort(table: DoubleTable, params: URLSearchParams): void {
    const upsert = this.#find(table, params);
    if (upsert.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the session is ${upsert.status}`);
    upsert.status = 'aborted';
  }

  /** All slots are on other workers from now on; a refusal says where, or does not. */
  moveSlots({ says }: { says: boolean }): void {
    this.#moves += 1;
    this.#saysWhere = says;
  }

  /** As if a day had passed. */
  expireAll(): void {
    for (const upsert of this.#upserts.values()) if (upsert.status === 'normal') upsert.status = 'expired';
  }

  /** Knows no session any more. */
  forgetAll(): void {
    this.#upserts.clear();
  }

  #address(slot: number): string {
    return `10.0.${this.#moves}.${slot + 1}:8000`;
  }

  #find(table: DoubleTable, params: URLSearchParams): Upsert {
    return sessionOf(this.#upserts, table, { params, id: 'upsertid', missing: MISSING });
  }

  #view({ id, table, shape, status, buckets }: Upsert): object {
    return {
      id,
      status,
      schema: shape.schema,
      hash_key: table.key,
      hasher: 'default',
      quota_name: 'default',
      enable_partial_update: false,
      slots: Array.from({ length: SLOTS }, (_, slot) => ({
        slot_id: slot,
        worker_addr: this.#address(slot),
        buckets: Array.from({ length: buckets }, (_each, bucket) => bucket).filter((bucket) => bucket % SLOTS === slot),
      })),
    };
  }
}

/** A commit that is on its way comes nearer to its end with every answer. */
function proceed(upsert: Upsert): void {
  const { commit, table, partition, staged: changes } = upsert;
  if (upsert.status !== 'committing' || commit === null) return;
  if (commit.answers > 0) {
    commit.answers -= 1;
    return;
  }
  upsert.status = commit.fails ? 'critical' : 'committed';
  if (!commit.fails) table.merge(partition, changes);
}

function staged({ table, shape, buckets }: Upsert, bucket: number | null, row: RowValue[]): Upsert['staged'][number] {
  const { columns } = shape;
  const hashes = table.keyIndexes.map((index) => {
    const value = row[index] ?? null;
    const type = columns[index]?.type;
    if (value === null || type === undefined) throw new Refusal(400, 'InvalidArgument', 'a column of the key is null');
    return plainHash('default', type, value);
  });
  if (bucket !== null && plainBucket(hashes, buckets) !== bucket)
    throw new Refusal(400, 'InvalidArgument', 'a row is in the wrong bucket');
  const operation = Number(row[columns.length + 2]);
  if (operation !== UPSERT_OPERATION.UPSERT && operation !== UPSERT_OPERATION.DELETE)
    throw new Refusal(400, 'InvalidArgument', `there is no operation ${operation}`);
  const isDelete = operation === UPSERT_OPERATION.DELETE;
  const empty = columns.find(({ notNull }, index) => notNull === true && (row[index] ?? null) === null);
  if (!isDelete && empty !== undefined) throw new Refusal(400, 'MalformedDataStream', `${empty.name} is NOT NULL`);
  return { row: row.slice(0, columns.length), isDelete };
}
