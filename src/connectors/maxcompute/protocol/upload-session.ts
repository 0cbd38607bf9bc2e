import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { Compression } from './compression.ts';
import { retryRuleOf } from './retry-rule.ts';
import type { Reply, ServiceClient } from './service-client.ts';
import {
  refuseLocalDatetimes,
  type SessionColumn,
  SessionSchema,
  sessionColumns,
  tunnelCall,
  type TunnelTarget,
} from './tunnel-target.ts';

/*
 * A batch upload: nothing of it is to be seen before its commit, which is atomic.
 *
 *   POST ?uploads [&overwrite=true] [&create_partition=true]     begins it
 *   PUT  ?uploadid=U&blockid=N         one whole row stream; the same block again replaces what was there
 *   GET  ?uploadid=U                   state and blocks
 *   POST ?uploadid=U                   commits
 *
 * All but PUT answer { UploadID, Status, Schema, UploadedBlockList: [{ BlockID }], … }.
 */
const UploadReply = Type.Object({
  UploadID: Type.String(),
  Status: Type.String(),
  Schema: SessionSchema,
  UploadedBlockList: Type.Optional(Type.Array(Type.Object({ BlockID: Type.Union([Type.Number(), Type.String()]) }))),
});

const BLOCK_ID_MAX = 19_999;

/** What became of an upload: `committing` becomes `committed`; `open` may still be committed; `lost` never. */
export type SessionState = 'open' | 'committing' | 'committed' | 'lost';

export class UploadSession {
  readonly id: string;
  readonly columns: readonly SessionColumn[];
  readonly #client: ServiceClient;
  readonly #target: TunnelTarget;
  readonly #blocks = new Set<number>();

  private constructor(client: ServiceClient, target: TunnelTarget, reply: Static<typeof UploadReply>) {
    this.#client = client;
    this.#target = target;
    this.id = reply.UploadID;
    this.columns = sessionColumns(reply.Schema);
  }

  /** `createPartition` makes the target's partition if there is none. Errors: ServiceError. */
  static async begin(
    client: ServiceClient,
    target: TunnelTarget,
    { overwrite, createPartition }: { overwrite: boolean; createPartition: boolean },
    signal?: AbortSignal,
  ): Promise<UploadSession> {
    const params: [string, string][] = [['uploads', '']];
    if (overwrite) params.push(['overwrite', 'true']);
    if (createPartition) params.push(['create_partition', 'true']);
    const reply = await client.repeat(tunnelCall(target, { method: 'POST', params }), signal);
    return new UploadSession(client, target, readUpload(reply));
  }

  /** A session of which only the id is known, and that blocks 0 to `blocks - 1` were stored. Errors: ServiceError. */
  static async resume(
    client: ServiceClient,
    target: TunnelTarget,
    { id, blocks }: { id: string; blocks: number },
    signal?: AbortSignal,
  ): Promise<UploadSession> {
    const reply = await client.repeat(tunnelCall(target, { method: 'GET', params: [['uploadid', id]] }), signal);
    const session = new UploadSession(client, target, readUpload(reply));
    for (let block = 0; block < blocks; block += 1) session.#blocks.add(block);
    return session;
  }

  /** Sends one block, a whole row stream packed as said; sends it again where that may help. Errors: ServiceError. */
  async writeBlock(blockId: number, packed: Uint8Array, compression: Compression, signal?: AbortSignal): Promise<void> {
    if (blockId > BLOCK_ID_MAX) throw new Error(`a session has ${BLOCK_ID_MAX + 1} blocks at most`);
    const params = [['uploadid', this.id] as const, ['blockid', String(blockId)] as const];
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Transfer-Encoding': 'chunked',
      ...(compression === 'none' ? {} : { 'Content-Encoding': compression }),
    };
    await this.#client.repeat(tunnelCall(this.#target, { method: 'PUT', params, headers, body: packed }), signal);
    this.#blocks.add(blockId);
  }

  /**
   * Makes all blocks visible at once. Returns what the session is then: after a reply that was lost, as the service says.
   * Errors: ServiceError; Error if the service has other blocks than were written.
   */
  async commit(signal?: AbortSignal): Promise<SessionState> {
    const { UploadedBlockList = [] } = readUpload(await this.#client.repeat(this.#about('GET'), signal));
    const stored = new Set(UploadedBlockList.map(({ BlockID }) => Number(BlockID)));
    if (stored.symmetricDifference(this.#blocks).size > 0)
      throw new Error(`the session has ${stored.size} blocks, ${this.#blocks.size} others were written`);
    let reply: Reply;
    try {
      reply = await this.#client.repeat(this.#about('POST'), signal, { faultTries: 0 });
    } catch (error) {
      const { kind } = retryRuleOf(error);
      if (kind !== 'fault' && kind !== 'state') throw error;
      return this.state(signal);
    }
    return uploadState(readUpload(reply).Status);
  }

  /** Errors: ServiceError. */
  state(signal?: AbortSignal): Promise<SessionState> {
    return uploadStateOf(this.#client, this.#target, this.id, signal);
  }

  #about(method: 'GET' | 'POST') {
    return tunnelCall(this.#target, { method, params: [['uploadid', this.id]] });
  }
}

/** What became of an upload of which only the id is known. Errors: ServiceError. */
export async function uploadStateOf(
  client: ServiceClient,
  target: TunnelTarget,
  id: string,
  signal?: AbortSignal,
): Promise<SessionState> {
  const call = tunnelCall(target, { method: 'GET', params: [['uploadid', id]] });
  return uploadState(readUpload(await client.repeat(call, signal)).Status);
}

function uploadState(status: string): SessionState {
  switch (status.toLowerCase()) {
    case 'closed':
      return 'committed';
    case 'closing':
    case 'committing':
      return 'committing';
    case 'normal':
      return 'open';
    case 'canceled':
    case 'expired':
    case 'critical':
      return 'lost';
    default:
      throw new Error(`an upload in a state that is not known: ${status}`);
  }
}

function readUpload(reply: Reply): Static<typeof UploadReply> {
  refuseLocalDatetimes(reply);
  return Value.Parse(UploadReply, JSON.parse(reply.body.toString()));
}
