import type { JsonObject } from '../lib/json-value.ts';

/** What is kept of one call, whether it was allowed or not. */
export interface AuditedCall {
  /** When it was answered, milliseconds since the epoch. */
  readonly at: number;
  readonly requestId: string;
  /** As it was called; empty when that could not be read. */
  readonly action: string;
  readonly version: string;
  /** Null when there is no such operation. */
  readonly access: 'read' | 'write' | null;
  /** As the call says; whose it is, is known once `user` is. */
  readonly accessKeyId: string | null;
  /** Null when it was not authenticated. */
  readonly user: string | null;
  /** The address it came from. */
  readonly from: string;
  readonly userAgent: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** The error's code, `fail` when the answer says so in its Data, or null. */
  readonly code: string | null;
  readonly ms: number;
  /** Without secrets; null when it was not authenticated, or there is no such operation. */
  readonly parameters: JsonObject | null;
}

export interface AuditEntry {
  readonly sequence: number;
  readonly call: AuditedCall;
  /** False when it, or what was before it, is not what was written. */
  readonly isGenuine: boolean;
}

/** One record of every call; records are added and never changed. */
export interface AuditTrail {
  /** Resolves once it survives the end of the process; `durable`: once it is on the disk. */
  append(call: AuditedCall, options: { readonly durable: boolean }): Promise<void>;
  /** All of them, oldest first. */
  entries(): Iterable<AuditEntry>;
}
