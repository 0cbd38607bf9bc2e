import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operations } from '../../src/api/catalogue.ts';
import { createGateway } from '../../src/api/gateway.ts';
import type { Listener } from '../../src/api/http/listener.ts';
import type { GatewayLimits } from '../../src/api/limits.ts';
import { type Logger, silentLog } from '../../src/lib/log.ts';
import type { Store } from '../../src/store/store.ts';
import type { CreatedTasks } from '../../src/tasks/create-tasks.ts';
import type { ProjectId } from '../../src/tasks/ids.ts';
import { openTasks } from './open-tasks.ts';
import { Script, scriptedConnectors } from './scripted-connectors.ts';

export const PROJECT = 10_000n as ProjectId;
export const FOREIGN_PROJECT = 10_001n as ProjectId;
/** Of a user who is a member of PROJECT, with every right. */
export const KEY = { accessKeyId: 'fuzzedkey', accessKeySecret: 'fuzzedsecret', securityToken: null } as const;

/** The whole service in this process, gateway and store as they are; servers and engine are scripted. */
export class WholeService {
  readonly store: Store;
  readonly created: CreatedTasks;
  /** Those that were logged. */
  readonly defects: object[] = [];
  port = 0;
  readonly #folder: string;
  readonly #gateway: Listener;

  private constructor(folder: string, limits: Partial<GatewayLimits>) {
    this.#folder = folder;
    const script = new Script().table('shop', 'a').table('shop', 'b').table('shop', 'c');
    const log: Logger = { ...silentLog, error: (facts) => this.defects.push(facts) };
    const { store, created } = openTasks(folder, { connectors: scriptedConnectors(script), planTimeoutMs: 1000 });
    this.store = store;
    this.created = created;
    this.#gateway = createGateway({
      ...this.created,
      operations,
      access: this.store.access,
      audit: { append: async () => {}, entries: () => [] },
      clock: Date.now,
      log,
      dev: false,
      health: null,
      limits: { readsPerSecond: 0, writesPerSecond: 0, ...limits },
    });
  }

  static async open(limits: Partial<GatewayLimits> = {}): Promise<WholeService> {
    const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const service = new WholeService(mkdtempSync(join(base, 'disync-whole-')), limits);
    const { access } = service.store;
    for (const project of [PROJECT, FOREIGN_PROJECT]) await access.createProject(project, `project ${project}`);
    await access.createKey({ projects: [PROJECT], id: KEY.accessKeyId, secret: KEY.accessKeySecret });
    service.port = await service.#gateway.listen('127.0.0.1', 0);
    return service;
  }

  async close(): Promise<void> {
    await this.#gateway.close(100);
    await this.created.close(100);
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
