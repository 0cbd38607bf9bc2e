import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { pause } from '../../../lib/retry.ts';
import type { Compression } from './compression.ts';
import { type RetryRule, retryRuleOf } from './retry-rule.ts';
import type { Call, Reply, ServiceClient } from './service-client.ts';
import {
  refuseLocalDatetimes,
  type SessionColumn,
  SessionSchema,
  sessionColumns,
  tunnelCall,
  type TunnelTarget,
} from './tunnel-target.ts';

/*
 * Stream upload: rows of a table without a key, to be seen as soon as their call is answered. There is no commit.
 *
 *   POST /streams [&create_partition] &check_latest_schema=true      begins a session
 *   GET  /streams?uploadid=U&schema_version=V                        the session; where its slots are
 *   PUT  /streams?uploadid=U&slotid=S&schema_version=V&check_latest_schema=true&record_count=N    one row stream
 *
 * The first two answer { session_name, schema, schema_version, status, slots: [[slot, "ip:port"], …] }; all with
 * `status` init is not ready. PUT answers with headers how many slots there are, and where this one is now.
 */
const StreamReply = Type.Object({
  session_name: Type.String(),
  schema: SessionSchema,
  schema_version: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  status: Type.String(),
  slots: Type.Array(Type.Tuple([Type.Union([Type.String(), Type.Number()]), Type.String()])),
});
type StreamReply = Static<typeof StreamReply>;

const SLOT_NUM = 'odps-tunnel-slot-num';
const ROUTED_SERVER = 'odps-tunnel-routed-server';
/** How often a session that is not ready, or whose schema is not to be seen yet, is asked for. */
const TRIES = 60;

/** A whole row stream of `rows` rows, packed as said. */
interface Pack {
  readonly rows: number;
  readonly packed: Uint8Array;
  readonly compression: Compression;
}

interface Slot {
  readonly id: string;
  address: string;
}

export class StreamSession {
  readonly id: string;
  readonly columns: readonly SessionColumn[];
  readonly #client: ServiceClient;
  readonly #target: TunnelTarget;
  readonly #schemaVersion: string | null;
  #slots: readonly Slot[];
  #turn: number;

  private constructor(client: ServiceClient, target: TunnelTarget, reply: StreamReply) {
    this.#client = client;
    this.#target = target;
    this.id = reply.session_name;
    this.columns = sessionColumns(reply.schema);
    this.#schemaVersion = reply.schema_version === undefined ? null : String(reply.schema_version);
    this.#slots = slotsOf(reply);
    this.#turn = Math.floor(Math.random() * this.#slots.length);
  }

  /** `createPartition` makes the target's partition if there is none. Errors: ServiceError. */
  static async begin(
    client: ServiceClient,
    target: TunnelTarget,
    { createPartition }: { createPartition: boolean },
    signal?: AbortSignal,
  ): Promise<StreamSession> {
    const params: [string, string][] = [['check_latest_schema', 'true']];
    if (createPartition) params.push(['create_partition', '']);
    const begin = tunnelCall(target, { method: 'POST', kind: 'streams', params });
    const backOff = client.backOff();
    let reply: StreamReply | null = null;
    for (let tries = 1; ; tries += 1) {
      try {
        reply = readStream(await client.repeat(reply === null ? begin : aboutStream(target, reply), signal));
        if (reply.status.toLowerCase() !== 'init') return new StreamSession(client, target, reply);
        if (tries === TRIES) throw new Error(`stream session ${reply.session_name} does not become ready`);
      } catch (error) {
        if (retryRuleOf(error).kind !== 'notYet' || tries === TRIES) throw error;
      }
      await pause(backOff.next(), signal);
      signal?.throwIfAborted();
    }
  }

  /**
   * Appends rows, which are to be seen when it returns. Sends them again after a failure of which nobody knows what came
   * of it, so that they may be there twice. Errors: ServiceError; its rule is `schema` when the table was changed.
   */
  async write(pack: Pack, signal?: AbortSignal): Promise<void> {
    const tried: Slot[] = [];
    const callOf = () => {
      const slot = this.#nextSlot();
      tried.push(slot);
      return this.#put(slot, pack);
    };
    const recover = async (rule: RetryRule) => {
      if (rule.kind === 'moved' || (rule.kind === 'fault' && rule.reload)) await this.#reload(signal);
    };
    const { headers } = await this.#client.repeat(callOf, signal, { recover });
    if (Number(headers[SLOT_NUM] ?? this.#slots.length) !== this.#slots.length) return this.#reload(signal);
    const address = headers[ROUTED_SERVER];
    const slot = tried.at(-1);
    if (slot !== undefined && typeof address === 'string' && address !== '') slot.address = address;
  }

  #put(slot: Slot, { rows, packed, compression }: Pack): Call {
    return tunnelCall(this.#target, {
      method: 'PUT',
      kind: 'streams',
      params: [
        ['uploadid', this.id],
        ['slotid', slot.id],
        ...versionOf(this.#schemaVersion),
        ['check_latest_schema', 'true'],
        ['record_count', String(rows)],
      ],
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(packed.length),
        [SLOT_NUM]: String(this.#slots.length),
        [ROUTED_SERVER]: slot.address,
        ...(compression === 'none' ? {} : { 'Content-Encoding': compression }),
      },
      body: packed,
    });
  }

  /** In turn, from one that chance picked. */
  #nextSlot(): Slot {
    this.#turn = (this.#turn + 1) % this.#slots.length;
    const slot = this.#slots[this.#turn];
    if (slot === undefined) throw new Error('there is no slot');
    return slot;
  }

  async #reload(signal?: AbortSignal): Promise<void> {
    const about = { session_name: this.id, schema_version: this.#schemaVersion ?? undefined };
    this.#slots = slotsOf(readStream(await this.#client.repeat(aboutStream(this.#target, about), signal)));
  }
}

function aboutStream(
  target: TunnelTarget,
  { session_name, schema_version }: { session_name: string; schema_version?: string | number | undefined },
): Call {
  const params = [['uploadid', session_name] as const, ...versionOf(schema_version ?? null)];
  return tunnelCall(target, { method: 'GET', kind: 'streams', params });
}

function versionOf(version: string | number | null): (readonly [string, string])[] {
  return version === null ? [] : [['schema_version', String(version)]];
}

/** Errors: Error if there is none, or one has no address. */
function slotsOf({ slots }: StreamReply): Slot[] {
  if (slots.length === 0) throw new Error('the session has no slots');
  return slots.map(([id, address]) => {
    if (address.startsWith(':') || address === '') throw new Error(`slot ${id} has no address`);
    return { id: String(id), address };
  });
}

function readStream(reply: Reply): StreamReply {
  refuseLocalDatetimes(reply);
  return Value.Parse(StreamReply, JSON.parse(reply.body.toString()));
}
