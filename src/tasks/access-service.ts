import type { ProjectId } from './ids.ts';

export interface AccessKey {
  readonly id: string;
  /** The raw secret: signatures need it. Never logged, never shown again after it was made. */
  readonly secret: string;
  readonly active: boolean;
  readonly projects: readonly ProjectId[];
}

/** Projects and the keys that open them. */
export interface AccessService {
  createProject(id: ProjectId, name: string): Promise<void>;
  listProjects(): Promise<readonly { readonly id: ProjectId; readonly name: string }[]>;
  projectExists(id: ProjectId): Promise<boolean>;
  /** Makes a key, or takes the one given (`id` and `secret`); its secret is in the answer only. */
  createKey(options: { projects: readonly ProjectId[]; id?: string; secret?: string }): Promise<AccessKey>;
  findKey(id: string): Promise<AccessKey | null>;
  listKeys(): Promise<readonly Omit<AccessKey, 'secret'>[]>;
  setKeyActive(id: string, active: boolean): Promise<void>;
  /** True when this nonce is new for this key; remembered until `expiresAt` (ms), across restarts. */
  useNonce(keyId: string, nonce: string, expiresAt: number): Promise<boolean>;
}
