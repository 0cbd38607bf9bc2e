import { randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Seal } from '../lib/seal.ts';
import type { AccessKey, AccessService, TemporaryKey, TokenRefusal, User } from '../tasks/access-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import type { Policy } from '../tasks/policy.ts';
import { readPolicy } from '../tasks/policy-reader.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { Database, SqlRow } from './database.ts';
import type { CallFile } from './call-file.ts';
import { SecurityTokens } from './security-tokens.ts';

const EVERYTHING = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';

/** What is known of a user at every call. */
interface Rights {
  readonly createdAt: number;
  readonly projects: readonly ProjectId[];
  readonly policy: Policy;
}

/**
 * Projects, users, keys and nonces. Secrets are sealed, because signatures need them as they are. What a call needs is
 * read once and kept until anything in the store's file changes, by us or by a command beside us.
 */
export class AccessRecords implements AccessService {
  readonly #database: Database;
  readonly #seal: Seal;
  readonly #tokens: SecurityTokens;
  readonly #calls: CallFile;
  readonly #clock: Clock;
  readonly #keys = new Map<string, AccessKey>();
  /** By user. */
  readonly #rights = new Map<string, Rights>();
  /** Those that are known to exist: none is ever deleted. */
  readonly #projects = new Set<ProjectId>();
  #version = -1n;
  #isLookedAt = false;

  constructor(options: { database: Database; seal: Seal; calls: CallFile; clock: Clock }) {
    this.#database = options.database;
    this.#seal = options.seal;
    this.#tokens = new SecurityTokens(options.seal, options.clock);
    this.#calls = options.calls;
    this.#clock = options.clock;
  }

  async createProject(id: ProjectId, name: string): Promise<void> {
    const { changes } = await this.#change(() =>
      this.#database.run('INSERT OR IGNORE INTO project VALUES (?, ?)', id, name),
    );
    if (changes === 0) throw new TaskError('name-taken', 'Project.Exists', `project ${id} exists already`);
  }

  async listProjects(): Promise<readonly { readonly id: ProjectId; readonly name: string }[]> {
    return this.#database
      .all('SELECT id, name FROM project ORDER BY id')
      .map((row) => ({ id: row['id'] as ProjectId, name: String(row['name']) }));
  }

  async projectExists(id: ProjectId): Promise<boolean> {
    if (this.#projects.has(id)) return true;
    const exists = this.#database.get('SELECT 1 FROM project WHERE id = ?', id) !== undefined;
    if (exists) this.#projects.add(id);
    return exists;
  }

  async createUser(name: string): Promise<void> {
    mustBeName(name, 'user');
    const { changes } = await this.#change(() => this.#insertUser(name));
    if (changes === 0) throw new TaskError('name-taken', 'User.Exists', `user ${name} exists already`);
  }

  async deleteUser(name: string): Promise<void> {
    const { changes } = await this.#change(() => this.#database.run('DELETE FROM user WHERE name = ?', name));
    if (changes === 0) throw unknownUser(name);
  }

  async listUsers(): Promise<readonly User[]> {
    return this.#database.all('SELECT name FROM user ORDER BY name').map((row) => {
      const name = String(row['name']);
      const policies = this.#database.all('SELECT name FROM user_policy WHERE user = ? ORDER BY name', name);
      return { name, projects: this.#projectsOf(name), policies: policies.map((policy) => String(policy['name'])) };
    });
  }

  async setMember(project: ProjectId, user: string, isMember: boolean): Promise<void> {
    await this.#mustExist([project]);
    await this.#change(() => {
      this.#mustKnow(user);
      const sql = isMember
        ? 'INSERT OR IGNORE INTO project_member VALUES (?, ?)'
        : 'DELETE FROM project_member WHERE user = ? AND project = ?';
      return this.#database.run(sql, user, project);
    });
  }

  async setPolicy(user: string, name: string, document: string | null): Promise<void> {
    mustBeName(name, 'policy');
    if (document !== null) readPolicy(document);
    await this.#change(() => {
      this.#mustKnow(user);
      if (document !== null) {
        this.#database.run('INSERT OR REPLACE INTO user_policy VALUES (?, ?, ?)', user, name, document);
        return;
      }
      const { changes } = this.#database.run('DELETE FROM user_policy WHERE user = ? AND name = ?', user, name);
      if (changes === 0) throw unknownPolicy(user, name);
    });
  }

  async policy(user: string, name: string): Promise<string> {
    const row = this.#database.get('SELECT document FROM user_policy WHERE user = ? AND name = ?', user, name);
    if (row === undefined) throw unknownPolicy(user, name);
    return String(row['document']);
  }

  async createKey({
    user,
    projects = [],
    id = `DI${randomBytes(11).toString('hex').toUpperCase()}`,
    secret = randomBytes(24).toString('base64url'),
  }: {
    user?: string;
    projects?: readonly ProjectId[];
    id?: string;
    secret?: string;
  }): Promise<AccessKey> {
    await this.#mustExist(projects);
    await this.#change(() => {
      if (this.#database.get('SELECT 1 FROM access_key WHERE id = ?', id) !== undefined)
        throw new TaskError('name-taken', 'Key.Exists', `access key ${id} exists already`);
      if (user === undefined) this.#insertFullUser(id, projects);
      else this.#mustKnow(user);
      const sealed = this.#seal.close(secret, sealedKeyOwner({ id }));
      this.#database.run('INSERT INTO access_key VALUES (?, ?, ?, 1, ?)', id, user ?? id, sealed, this.#clock.now());
    });
    const key = await this.findKey(id);
    if (key === null) throw new Error(`access key ${id} was not stored`);
    return key;
  }

  async findKey(id: string): Promise<AccessKey | null> {
    this.#forgetOld();
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const row = this.#database.get('SELECT * FROM access_key WHERE id = ?', id);
    if (row === undefined) return null;
    const user = String(row['user']);
    const { projects, policy } = this.#rightsOf(user) ?? { projects: [], policy: [] };
    const secret = this.#seal.open(row['secret'] as Uint8Array, sealedKeyOwner({ id }));
    const key = { id, secret, active: row['active'] === 1n, user, projects, policy, session: null };
    this.#keys.set(id, key);
    return key;
  }

  async listKeys(): Promise<readonly Pick<AccessKey, 'id' | 'active' | 'user' | 'projects'>[]> {
    return this.#database.all('SELECT * FROM access_key ORDER BY created_at, id').map((row: SqlRow) => {
      const user = String(row['user']);
      return { id: String(row['id']), active: row['active'] === 1n, user, projects: this.#projectsOf(user) };
    });
  }

  async setKeyActive(id: string, active: boolean): Promise<void> {
    const { changes } = await this.#change(() =>
      this.#database.run('UPDATE access_key SET active = ? WHERE id = ?', active ? 1 : 0, id),
    );
    if (changes === 0) throw new TaskError('not-found', 'Key.NotFound', `access key ${id} does not exist`);
  }

  async issueToken({
    user,
    lifetimeMs,
    policy,
  }: {
    user: string;
    lifetimeMs: number;
    policy: string | null;
  }): Promise<TemporaryKey> {
    this.#forgetOld();
    const rights = this.#rightsOf(user);
    if (rights === null) throw unknownUser(user);
    if (policy !== null) readPolicy(policy);
    return this.#tokens.issue({ user, userCreatedAt: rights.createdAt, policy }, lifetimeMs);
  }

  async openToken(keyId: string, securityToken: string): Promise<AccessKey | TokenRefusal | null> {
    const opened = this.#tokens.open(keyId, securityToken);
    if (typeof opened === 'string') return opened;
    const { user, userCreatedAt, secret, policy: session } = opened;
    this.#forgetOld();
    const rights = this.#rightsOf(user);
    // One who was made anew under the same name is another.
    if (rights === null || rights.createdAt !== userCreatedAt) return null;
    const { projects, policy } = rights;
    const narrowed = session === null ? null : readPolicy(session);
    return { id: keyId, secret, active: true, user, projects, policy, session: narrowed };
  }

  isNonceUsed(keyId: string, nonce: string): boolean {
    return this.#calls.isNonceUsed(keyId, nonce);
  }

  noteNonce(keyId: string, nonce: string, expiresAt: number): { durable(): Promise<void> } {
    return this.#calls.noteNonce(keyId, nonce, expiresAt);
  }

  /** Null when there is no such user. */
  #rightsOf(name: string): Rights | null {
    const known = this.#rights.get(name);
    if (known !== undefined) return known;
    const row = this.#database.get('SELECT created_at FROM user WHERE name = ?', name);
    if (row === undefined) return null;
    const documents = this.#database.all('SELECT document FROM user_policy WHERE user = ? ORDER BY name', name);
    const policy = documents.flatMap(({ document }) => readPolicy(String(document)));
    const rights = { createdAt: Number(row['created_at']), projects: this.#projectsOf(name), policy };
    this.#rights.set(name, rights);
    return rights;
  }

  #projectsOf(user: string): ProjectId[] {
    const rows = this.#database.all('SELECT project FROM project_member WHERE user = ? ORDER BY project', user);
    return rows.map(({ project }) => project as ProjectId);
  }

  #insertUser(name: string): { changes: number } {
    return this.#database.run('INSERT OR IGNORE INTO user VALUES (?, ?)', name, this.#clock.now());
  }

  #insertFullUser(name: string, projects: readonly ProjectId[]): void {
    if (this.#insertUser(name).changes === 0)
      throw new TaskError('name-taken', 'User.Exists', `user ${name} exists already: name it with --user`);
    this.#database.run('INSERT INTO user_policy VALUES (?, ?, ?)', name, 'everything', EVERYTHING);
    for (const project of new Set(projects))
      this.#database.run('INSERT INTO project_member VALUES (?, ?)', name, project);
  }

  async #mustExist(projects: readonly ProjectId[]): Promise<void> {
    for (const project of projects) {
      if (!(await this.projectExists(project)))
        throw new TaskError(
          'not-found',
          'Project.NotFound',
          `project ${project} does not exist: make it with "disync project create ${project}"`,
        );
    }
  }

  #mustKnow(user: string): void {
    if (this.#database.get('SELECT 1 FROM user WHERE name = ?', user) === undefined) throw unknownUser(user);
  }

  async #change<T>(work: () => T): Promise<T> {
    try {
      return await this.#database.transaction(work);
    } finally {
      this.#forget();
    }
  }

  /** What another connection changed is not known here. Once in each turn of the event loop is soon enough. */
  #forgetOld(): void {
    if (this.#isLookedAt) return;
    this.#isLookedAt = true;
    setImmediate(() => (this.#isLookedAt = false));
    const version = this.#database.get('PRAGMA data_version')?.['data_version'] as bigint;
    if (version === this.#version) return;
    this.#forget();
    this.#version = version;
  }

  #forget(): void {
    this.#keys.clear();
    this.#rights.clear();
  }
}

function mustBeName(name: string, what: string): void {
  if (/^[\w.@-]{1,64}$/.test(name)) return;
  throw new TaskError('invalid', 'Access.Name', `a ${what}'s name has 1 to 64 letters, digits, or any of . _ @ -`);
}

function unknownUser(name: string): TaskError {
  return new TaskError(
    'not-found',
    'User.NotFound',
    `user ${name} does not exist: make it with "disync user create ${name}"`,
  );
}

function unknownPolicy(user: string, name: string): TaskError {
  return new TaskError('not-found', 'Policy.NotFound', `user ${user} has no policy ${name}`);
}

/** What the sealed secret of a row belongs to. */
export function sealedKeyOwner({ id }: { id?: unknown }): string {
  return `access key ${String(id)}`;
}
