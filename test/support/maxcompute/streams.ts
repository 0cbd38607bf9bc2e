import { randomUUID } from 'node:crypto';
import { checkedRows } from './checked-rows.ts';
import { Refusal } from './refusal.ts';
import { partitionOf, sessionOf } from './session-place.ts';
import type { DoubleTable, TableShape } from './tables.ts';

interface Stream {
  readonly id: string;
  readonly table: DoubleTable;
  readonly shape: TableShape;
  readonly partition: string;
}

const MISSING = 'StreamSessionNotFound';

/** The stream uploads of the double: what a PUT brings is visible when it is answered. */
export class Streams {
  /** So many sessions begin as `init`, and must be asked for again. */
  initial = 0;
  /** So many are refused as if the newest schema were not visible yet. */
  unseenSchemas = 0;
  /** How many slots each session has. */
  slots = 2;
  readonly #streams = new Map<string, Stream>();
  #moves = 0;

  begin(table: DoubleTable, params: URLSearchParams): object {
    if (table.key.length > 0) throw new Refusal(400, 'InvalidArgument', 'a table with a primary key is upserted');
    const version = params.get('schema_version');
    if (this.unseenSchemas > 0 || Number(version ?? 0) > table.schemaVersion) {
      this.unseenSchemas = Math.max(0, this.unseenSchemas - 1);
      throw new Refusal(404, 'NoSuchSchema', 'the schema is not visible yet');
    }
    const partition = partitionOf(table, params, params.has('create_partition'));
    const stream: Stream = { id: randomUUID(), table, shape: table.shape(), partition };
    this.#streams.set(stream.id, stream);
    const status = this.initial > 0 ? 'init' : 'normal';
    this.initial = Math.max(0, this.initial - 1);
    return { ...this.#view(stream), status };
  }

  show(table: DoubleTable, params: URLSearchParams): object {
    return this.#view(this.#find(table, params));
  }

  /** Returns the headers that say where the slots are. */
  put(
    table: DoubleTable,
    params: URLSearchParams,
    { server, body }: { server: string; body: Uint8Array },
  ): Readonly<Record<string, string>> {
    const { shape, partition } = this.#find(table, params);
    const slot = Number(params.get('slotid') ?? Number.NaN);
    if (!(slot >= 0 && slot < this.slots)) throw new Refusal(400, 'InvalidArgument', `there is no slot ${slot}`);
    if (server === '') throw new Refusal(400, 'InvalidArgument', 'the call does not say the address of its slot');
    if (params.get('check_latest_schema') === 'true' && shape.version < table.schemaVersion)
      throw new Refusal(412, 'SchemaModified', 'the table was changed', {
        'odps-tunnel-latest-schema-version': String(table.schemaVersion),
      });
    const rows = checkedRows(body, shape.columns);
    if (params.has('record_count') && rows.length !== Number(params.get('record_count')))
      throw new Refusal(400, 'InvalidArgument', 'the record_count is wrong');
    table.append(partition, rows);
    return { 'odps-tunnel-slot-num': String(this.slots), 'odps-tunnel-routed-server': this.#address(slot) };
  }

  abort(table: DoubleTable, params: URLSearchParams): object {
    const stream = this.#find(table, params);
    this.#streams.delete(stream.id);
    return {};
  }

  /** All slots are on other workers from now on. */
  moveSlots(): void {
    this.#moves += 1;
  }

  /** Knows no session any more. */
  forgetAll(): void {
    this.#streams.clear();
  }

  #address(slot: number): string {
    return `10.1.${this.#moves}.${slot + 1}:8000`;
  }

  #find(table: DoubleTable, params: URLSearchParams): Stream {
    return sessionOf(this.#streams, table, { params, id: 'uploadid', missing: MISSING });
  }

  #view({ id, shape }: Stream): object {
    return {
      session_name: id,
      schema: shape.schema,
      schema_version: String(shape.version),
      status: 'normal',
      slots: Array.from({ length: this.slots }, (_, slot) => [slot, this.#address(slot)]),
      quota_name: 'default',
      compress_mode: '',
      file_format: '',
    };
  }
}
