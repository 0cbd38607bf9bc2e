import { randomUUID } from 'node:crypto';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { UPSERT_COLUMNS, UPSERT_OPERATION } from '../../../src/connectors/maxcompute/protocol/upsert-session.ts';
import { plainBucket, plainHash } from './plain-hash.ts';
import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';
import { checkedRows, partitionOf } from './uploads.ts';

const BUCKETS = 4;
const SLOTS = 2;

interface Upsert {
  readonly id: string;
  readonly table: DoubleTable;
  readonly partition: string;
  readonly staged: { readonly row: RowValue[]; readonly isDelete: boolean }[];
  status: 'normal' | 'committing' | 'committed' | 'aborted';
}

/** The upsert sessions of the double: every row in its bucket, staged until the commit, which takes two calls. */
export class Upserts {
  readonly #upserts = new Map<string, Upsert>();
  #moves = 0;
  #saysWhere = true;

  begin(table: DoubleTable, params: URLSearchParams): object {
    if (table.key.length === 0) throw new Refusal(400, 'InvalidArgument', 'the table has no primary key');
    const partition = partitionOf(table, params, false);
    const upsert: Upsert = { id: randomUUID(), table, partition, staged: [], status: 'normal' };
    this.#upserts.set(upsert.id, upsert);
    return this.#view(upsert);
  }

  show(table: DoubleTable, params: URLSearchParams): object {
    return this.#view(this.#find(table, params));
  }

  /** Returns the address of the bucket's slot. */
  put(table: DoubleTable, params: URLSearchParams, { server, body }: { server: string; body: Uint8Array }): string {
    const upsert = this.#find(table, params);
    const bucket = Number(params.get('bucketid'));
    const slot = bucket % SLOTS;
    if (Number(params.get('slotid')) !== slot)
      throw new Refusal(400, 'InvalidArgument', `bucket ${bucket} is of slot ${slot}`);
    if (server !== this.#address(slot))
      throw new Refusal(
        308,
        'SlotReassigned',
        'the slot is elsewhere',
        this.#saysWhere ? { 'odps-tunnel-routed-server': this.#address(slot) } : {},
      );
    if (upsert.status !== 'normal') throw new Refusal(409, 'StatusConflict', `the session is ${upsert.status}`);
    const rows = checkedRows(body, [...table.columns, ...UPSERT_COLUMNS]);
    if (rows.length !== Number(params.get('record_count')))
      throw new Refusal(400, 'InvalidArgument', 'the record_count is wrong');
    upsert.staged.push(...rows.map((row) => staged(table, bucket, row)));
    return this.#address(slot);
  }

  commit(table: DoubleTable, params: URLSearchParams): object {
    const upsert = this.#find(table, params);
    if (upsert.status === 'committed') {
      this.#upserts.delete(upsert.id);
      throw new Refusal(404, 'UpsertSessionNotFound', 'there is no such session');
    }
    if (upsert.status === 'normal') upsert.status = 'committing';
    else if (upsert.status === 'committing') {
      upsert.status = 'committed';
      table.merge(upsert.partition, upsert.staged);
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

  /** Knows no session any more. */
  forgetAll(): void {
    this.#upserts.clear();
  }

  #address(slot: number): string {
    return `10.0.${this.#moves}.${slot + 1}:8000`;
  }

  #find(table: DoubleTable, params: URLSearchParams): Upsert {
    const upsert = this.#upserts.get(params.get('upsertid') ?? '');
    if (upsert === undefined || upsert.table !== table)
      throw new Refusal(404, 'UpsertSessionNotFound', 'there is no such session');
    if ((params.get('partition') ?? '') !== upsert.partition)
      throw new Refusal(400, 'InvalidResourceSpec', 'the session is of another partition');
    return upsert;
  }

  #view({ id, table, status }: Upsert): object {
    return {
      id,
      status,
      schema: table.schema(),
      hash_key: table.key,
      hasher: 'default',
      quota_name: 'default',
      enable_partial_update: false,
      slots: Array.from({ length: SLOTS }, (_, slot) => ({
        slot_id: slot,
        worker_addr: this.#address(slot),
        buckets: Array.from({ length: BUCKETS / SLOTS }, (_each, index) => slot + index * SLOTS),
      })),
    };
  }
}

function staged(table: DoubleTable, bucket: number, row: RowValue[]): Upsert['staged'][number] {
  const hashes = table.keyIndexes.map((index) => {
    const value = row[index] ?? null;
    const type = table.columns[index]?.type;
    if (value === null || type === undefined) throw new Refusal(400, 'InvalidArgument', 'a column of the key is null');
    return plainHash('default', type, value);
  });
  if (plainBucket(hashes, BUCKETS) !== bucket)
    throw new Refusal(400, 'InvalidArgument', 'a row is in the wrong bucket');
  const operation = Number(row[table.columns.length + 2]);
  if (operation !== UPSERT_OPERATION.UPSERT && operation !== UPSERT_OPERATION.DELETE)
    throw new Refusal(400, 'InvalidArgument', `there is no operation ${operation}`);
  return { row: row.slice(0, table.columns.length), isDelete: operation === UPSERT_OPERATION.DELETE };
}
