import { randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Seal } from '../lib/seal.ts';
import type { AccessKey, AccessService } from '../tasks/access-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { Database, SqlRow } from './database.ts';
import type { NonceFile } from './nonce-file.ts';

/** Projects, keys and nonces. Secrets are sealed, because signatures need them as they are. */
export class AccessRecords implements AccessService {
  readonly #database: Database;
  readonly #seal: Seal;
  readonly #nonces: NonceFile;
  readonly #clock: Clock;

  constructor(options: { database: Database; seal: Seal; nonces: NonceFile; clock: Clock }) {
    this.#database = options.database;
    this.#seal = options.seal;
    this.#nonces = options.nonces;
    this.#clock = options.clock;
  }

  async createProject(id: ProjectId, name: string): Promise<void> {
    const { changes } = await this.#database.transaction(() =>
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
    return this.#database.get('SELECT 1 FROM project WHERE id = ?', id) !== undefined;
  }

  async createKey({
    projects,
    id,
    secret,
  }: {
    projects: readonly ProjectId[];
    id?: string;
    secret?: string;
  }): Promise<AccessKey> {
    const key = {
      id: id ?? `DI${randomBytes(11).toString('hex').toUpperCase()}`,
      secret: secret ?? randomBytes(24).toString('base64url'),
      active: true,
      projects,
    };
    for (const project of projects) {
      if (!(await this.projectExists(project)))
        throw new TaskError(
          'not-found',
          'Project.NotFound',
          `project ${project} does not exist: make it with "disync project create ${project}"`,
        );
    }
    await this.#database.transaction(() => {
      const { changes } = this.#database.run(
        'INSERT OR IGNORE INTO access_key VALUES (?, ?, 1, ?)',
        key.id,
        this.#seal.close(key.secret, `access key ${key.id}`),
        this.#clock.now(),
      );
      if (changes === 0) throw new TaskError('name-taken', 'Key.Exists', `access key ${key.id} exists already`);
      for (const project of projects)
        this.#database.run('INSERT INTO access_key_project VALUES (?, ?)', key.id, project);
    });
    return key;
  }

  async findKey(id: string): Promise<AccessKey | null> {
    const row = this.#database.get('SELECT * FROM access_key WHERE id = ?', id);
    return row === undefined
      ? null
      : { ...this.#readKey(row), secret: this.#seal.open(row['secret'] as Uint8Array, `access key ${id}`) };
  }

  async listKeys(): Promise<readonly Omit<AccessKey, 'secret'>[]> {
    return this.#database.all('SELECT * FROM access_key ORDER BY created_at, id').map((row) => this.#readKey(row));
  }

  async setKeyActive(id: string, active: boolean): Promise<void> {
    const { changes } = await this.#database.transaction(() =>
      this.#database.run('UPDATE access_key SET active = ? WHERE id = ?', active ? 1 : 0, id),
    );
    if (changes === 0) throw new TaskError('not-found', 'Key.NotFound', `access key ${id} does not exist`);
  }

  async useNonce(keyId: string, nonce: string, expiresAt: number): Promise<boolean> {
    return this.#nonces.use(keyId, nonce, expiresAt, this.#clock.now());
  }

  #readKey(row: SqlRow): Omit<AccessKey, 'secret'> {
    const id = String(row['id']);
    const projects = this.#database.all(
      'SELECT project FROM access_key_project WHERE access_key = ? ORDER BY project',
      id,
    );
    return { id, active: row['active'] === 1n, projects: projects.map(({ project }) => project as ProjectId) };
  }
}
