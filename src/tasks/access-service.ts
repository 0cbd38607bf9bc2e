import type { ProjectId } from './ids.ts';
import type { Policy } from './policy.ts';

/** A key with all that is to be known of a call signed with it: whose it is, and what they may. */
export interface AccessKey {
  readonly id: string;
  /** The raw secret: signatures need it. Never logged, never shown again after it was made. */
  readonly secret: string;
  readonly active: boolean;
  readonly user: string;
  /** The projects that the user is a member of. */
  readonly projects: readonly ProjectId[];
  /** All of the user's policies together. */
  readonly policy: Policy;
  /** Of temporary credentials: what they were narrowed to. Both must allow a call. */
  readonly session: Policy | null;
}

/** Why a security token is not taken. */
export type TokenRefusal = 'malformed' | 'mismatch' | 'expired';

/** What `disync token` hands out: valid until `expiresAt` (ms), or until its user is deleted or loses the right. */
export interface TemporaryKey {
  readonly id: string;
  readonly secret: string;
  readonly securityToken: string;
  readonly expiresAt: number;
}

export interface User {
  readonly name: string;
  readonly projects: readonly ProjectId[];
  /** Names of policies. */
  readonly policies: readonly string[];
}

/** Projects, users, their policies and keys. Methods that change something throw TaskError. */
export interface AccessService {
  createProject(id: ProjectId, name: string): Promise<void>;
  listProjects(): Promise<readonly { readonly id: ProjectId; readonly name: string }[]>;
  projectExists(id: ProjectId): Promise<boolean>;

  createUser(name: string): Promise<void>;
  /** Its keys, policies and memberships go with it. */
  deleteUser(name: string): Promise<void>;
  listUsers(): Promise<readonly User[]>;
  setMember(project: ProjectId, user: string, isMember: boolean): Promise<void>;
  /** `document` is JSON text (policy-reader.ts); null takes the policy away. */
  setPolicy(user: string, name: string, document: string | null): Promise<void>;
  /** JSON text. Errors: TaskError `not-found`. */
  policy(user: string, name: string): Promise<string>;

  /**
   * Makes a key of a user, or takes the one given (`id` and `secret`); its secret is in the answer only. Without a user
   * one is made for it, of the name of the key, who may do everything in `projects`.
   */
  createKey(options: {
    user?: string;
    projects?: readonly ProjectId[];
    id?: string;
    secret?: string;
  }): Promise<AccessKey>;
  findKey(id: string): Promise<AccessKey | null>;
  listKeys(): Promise<readonly Pick<AccessKey, 'id' | 'active' | 'user' | 'projects'>[]>;
  setKeyActive(id: string, active: boolean): Promise<void>;

  /** Temporary credentials of a user for at most 12 hours; `policy` (JSON text) narrows what they may. */
  issueToken(options: { user: string; lifetimeMs: number; policy: string | null }): Promise<TemporaryKey>;
  /** The key that temporary credentials stand for. Null when the user is no more. */
  openToken(keyId: string, securityToken: string): Promise<AccessKey | TokenRefusal | null>;

  /** Whether this key has used it before; to be asked and noted within one turn of the event loop. */
  isNonceUsed(keyId: string, nonce: string): boolean;
  /** Takes note of a nonce, to be remembered until `expiresAt` (ms), across restarts: for certain once `durable` resolves. */
  noteNonce(keyId: string, nonce: string, expiresAt: number): { durable(): Promise<void> };
}
