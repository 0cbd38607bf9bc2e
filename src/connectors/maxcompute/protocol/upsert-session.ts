import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { pause } from '../../../lib/retry.ts';
import type { Compression } from './compression.ts';
import type { Hasher } from './key-hash.ts';
import { mayHaveBeenDone, RETRY, type RetryRule, retryRuleOf } from './retry-rule.ts';
import type { Call, Reply, ServiceClient } from './service-client.ts';
import { ServiceError } from './service-error.ts';
import {
  refuseLocalDatetimes,
  type SessionColumn,
  SessionSchema,
  sessionColumns,
  tunnelCall,
  type TunnelTarget,
} from './tunnel-target.ts';
import type { SessionState } from './upload-session.ts';

/*
 * Upserts and deletes of a Delta table: nothing of them is to be seen before the commit, which is atomic over all buckets.
 *
 *   POST   /upserts?slotnum=1          begins a session
 *   PUT    /upserts?upsertid=U&bucketid=B&slotid=S&record_count=N   one row stream of one bucket, sent by way of its slot
 *   GET    /upserts?upsertid=U         the session; keeps it alive
 *   POST   /upserts?upsertid=U         commits; asked again until the session is `committed`, or known no more
 *   DELETE /upserts?upsertid=U         gives it up
 *
 * All but PUT and DELETE answer { id, status, schema, hash_key, hasher, slots: [{ slot_id, buckets, worker_addr }] }.
 */
const UpsertReply = Type.Object({
  id: Type.String(),
  status: Type.String(),
  schema: SessionSchema,
  hash_key: Type.Array(Type.String()),
  hasher: Type.Union([Type.Literal('default'), Type.Literal('legacy')]),
  slots: Type.Array(
    Type.Object({
      slot_id: Type.Union([Type.Number(), Type.String()]),
      buckets: Type.Array(Type.Number()),
      worker_addr: Type.String(),
    }),
  ),
});
type UpsertReply = Static<typeof UpsertReply>;

const ROUTED_SERVER = 'odps-tunnel-routed-server';
const COMMIT_WAIT_MS = 120_000;
/** A commit that is on its way may be over soon; it is asked about less and less often. */
const COMMIT_ASK_MS = 100;

/** The columns that each row has behind those of the table, in this order; no reply names them. */
export const UPSERT_COLUMNS: readonly SessionColumn[] = [
  { name: '__version', type: { kind: 'bigint' }, nullable: true },
  { name: '__app_version', type: { kind: 'bigint' }, nullable: true },
  { name: '__operation', type: { kind: 'tinyint' }, nullable: true },
  { name: '__key_cols', type: { kind: 'array', element: { kind: 'bigint' } }, nullable: true },
  { name: '__value_cols', type: { kind: 'array', element: { kind: 'bigint' } }, nullable: true },
];
/** What `__operation` may be. */
export const UPSERT_OPERATION = { UPSERT: 85, DELETE: 68 } as const;

interface Slot {
  readonly id: string;
  address: string;
}

export class UpsertSession {
  readonly id: string;
  /** Those of the table, and behind them UPSERT_COLUMNS. */
  readonly columns: readonly SessionColumn[];
  /** The columns whose hashes say the bucket. */
  readonly hashKey: readonly string[];
  readonly hasher: Hasher;
  readonly buckets: number;
  readonly #client: ServiceClient;
  readonly #target: TunnelTarget;
  #slots: readonly Slot[];

  private constructor(client: ServiceClient, target: TunnelTarget, reply: UpsertReply) {
    this.#client = client;
    this.#target = target;
    this.id = reply.id;
    this.hashKey = reply.hash_key;
    this.hasher = reply.hasher;
    this.columns = [...sessionColumns(reply.schema), ...UPSERT_COLUMNS];
    this.#slots = slotsOf(reply);
    this.buckets = this.#slots.length;
  }

  /** Errors: ServiceError. */
  static async begin(client: ServiceClient, target: TunnelTarget, signal?: AbortSignal): Promise<UpsertSession> {
    const call = tunnelCall(target, { method: 'POST', kind: 'upserts', params: [['slotnum', '1']] });
    return new UpsertSession(client, target, readUpsert(await client.repeat(call, signal)));
  }

  /** A session of which only the id is known. Errors: ServiceError. */
  static async resume(
    client: ServiceClient,
    target: TunnelTarget,
    id: string,
    signal?: AbortSignal,
  ): Promise<UpsertSession> {
    const call = tunnelCall(target, { method: 'GET', kind: 'upserts', params: [['upsertid', id]] });
    return new UpsertSession(client, target, readUpsert(await client.repeat(call, signal)));
  }

  /**
   * Sends rows of one bucket, in their order; again, and to wherever the bucket moved, while that may help.
   * Errors: ServiceError; Error if the number of buckets changed: the session must be given up.
   */
  async write(
    bucket: number,
    { rows, packed, compression }: { rows: number; packed: Uint8Array; compression: Compression },
    signal?: AbortSignal,
  ): Promise<void> {
    let slot = this.#slotOf(bucket);
    const callOf = () => {
      slot = this.#slotOf(bucket);
      return this.#call('PUT', slot, {
        params: [
          ['bucketid', String(bucket)],
          ['slotid', slot.id],
          ['record_count', String(rows)],
        ],
        headers: {
          'Content-Length': String(packed.length),
          ...(compression === 'none' ? {} : { 'Content-Encoding': compression }),
        },
        body: packed,
      });
    };
    const recover = async (rule: RetryRule) => {
      if (rule.kind === 'moved' || (rule.kind === 'fault' && rule.reload)) await this.reload(signal);
    };
    const { headers } = await this.#client.repeat(callOf, signal, { recover });
    const address = headers[ROUTED_SERVER];
    if (typeof address === 'string' && address !== '') slot.address = address;
  }

  /** Asks for the session: learns where its slots are, and keeps it alive. Errors: as `write`. */
  async reload(signal?: AbortSignal): Promise<void> {
    const slots = slotsOf(readUpsert(await this.#client.repeat(this.#call('GET', null), signal)));
    if (slots.length !== this.buckets)
      throw new Error(`the session had ${this.buckets} buckets, and has ${slots.length} now`);
    this.#slots = slots;
  }

  /**
   * Makes all visible at once; returns when it is. A session that is known no more, after it may have been told to commit,
   * was committed; `asked`: it was told before. Returns `committing` if that took too long, or nobody answers, `lost` if the session ended otherwise. Errors: ServiceError.
   */
  async commit(
    signal?: AbortSignal,
    { waitMs = COMMIT_WAIT_MS, asked = false }: { readonly waitMs?: number; readonly asked?: boolean } = {},
  ): Promise<SessionState> {
    const backOff = this.#client.backOff(COMMIT_ASK_MS);
    const until = Date.now() + waitMs;
    let wasAsked = asked;
    let unheard = 0;
    for (; ; await pause(backOff.next(), signal)) {
      const reply = await this.#askToCommit(wasAsked, signal);
      if (reply === 'gone') return 'committed';
      wasAsked ||= reply !== 'refused';
      unheard = reply === 'unheard' ? unheard + 1 : 0;
      if (typeof reply === 'object') {
        const state = upsertState(readUpsert(reply).status);
        if (state === 'committed' || state === 'lost') return state;
      }
      if (Date.now() >= until || unheard > RETRY.faultTries || signal?.aborted === true) return 'committing';
    }
  }

  /** `gone` only for a session that was asked before; `unheard` if nobody knows whether the service heard. */
  async #askToCommit(asked: boolean, signal?: AbortSignal): Promise<Reply | 'gone' | 'refused' | 'unheard'> {
    try {
      return await this.#client.call(this.#call('POST', this.#slotOf(0)), signal);
    } catch (error) {
      const { kind } = retryRuleOf(error);
      if (kind === 'gone' && asked) return 'gone';
      if (kind === 'moved') await this.reload(signal);
      else if (kind !== 'fault' && kind !== 'throttled') throw error;
      if (error instanceof ServiceError) await pause(error.holdMs, signal);
      return mayHaveBeenDone(error) ? 'unheard' : 'refused';
    }
  }

  async abort(signal?: AbortSignal): Promise<void> {
    await this.#client.repeat(this.#call('DELETE', this.#slotOf(0)), signal);
  }

  #slotOf(bucket: number): Slot {
    const slot = this.#slots[bucket];
    if (slot === undefined) throw new Error(`there is no bucket ${bucket}`);
    return slot;
  }

  #call(
    method: Call['method'],
    slot: Slot | null,
    more: Partial<Pick<Call, 'params' | 'headers' | 'body'>> = {},
  ): Call {
    return tunnelCall(this.#target, {
      ...more,
      method,
      kind: 'upserts',
      params: [['upsertid', this.id], ...(more.params ?? [])],
      headers: { ...more.headers, ...(slot === null ? {} : { [ROUTED_SERVER]: slot.address }) },
    });
  }
}

/**
 * What became of a session of which only the id is known; null if the service does not know it: it was committed and
 * forgotten, or it expired, and only who knows whether it was told to commit can say more. Errors: ServiceError.
 */
export async function upsertStateOf(
  client: ServiceClient,
  target: TunnelTarget,
  id: string,
  signal?: AbortSignal,
): Promise<SessionState | null> {
  const call = tunnelCall(target, { method: 'GET', kind: 'upserts', params: [['upsertid', id]] });
  try {
    return upsertState(readUpsert(await client.repeat(call, signal)).status);
  } catch (error) {
    if (retryRuleOf(error).kind === 'gone') return null;
    throw error;
  }
}

/** By bucket. Errors: Error if buckets are missing or an address is. */
function slotsOf({ slots }: UpsertReply): Slot[] {
  const found = new Map<number, Slot>();
  for (const { slot_id, buckets, worker_addr } of slots) {
    if (worker_addr.startsWith(':') || worker_addr === '') throw new Error(`slot ${slot_id} has no address`);
    const slot = { id: String(slot_id), address: worker_addr };
    for (const bucket of buckets) found.set(bucket, slot);
  }
  if (found.size === 0) throw new Error('there is no slot');
  return Array.from(
    { length: found.size },
    (_, bucket) => found.get(bucket) ?? fail(`the slots leave bucket ${bucket} out, of ${found.size}`),
  );
}

function fail(what: string): never {
  throw new Error(what);
}

function upsertState(status: string): SessionState {
  switch (status.toLowerCase()) {
    case 'normal':
      return 'open';
    case 'committing':
      return 'committing';
    case 'committed':
      return 'committed';
    case 'expired':
    case 'critical':
    case 'aborted':
      return 'lost';
    default:
      throw new Error(`an upsert session in a state that is not known: ${status}`);
  }
}

function readUpsert(reply: Reply): UpsertReply {
  refuseLocalDatetimes(reply);
  return Value.Parse(UpsertReply, JSON.parse(reply.body.toString()));
}
