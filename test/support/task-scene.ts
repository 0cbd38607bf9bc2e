import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { CreatedTasks } from '../../src/tasks/create-tasks.ts';
import type { AlarmReceivers } from '../../src/tasks/alarm-rule.ts';
import type { ProcessId, ProjectId, TaskId } from '../../src/tasks/ids.ts';
import type { AlarmNotification, Notifier } from '../../src/tasks/notifier.ts';
import { TaskError } from '../../src/tasks/task-error.ts';
import type { InstanceInfo, ProcessState, TaskType } from '../../src/tasks/task-service.ts';
import { openTasks } from './open-tasks.ts';
import { Script, scriptedConnectors } from './scripted-connectors.ts';
import type { ScriptedEngine } from './scripted-engine.ts';

export const PROJECT = 10_000n as ProjectId;
export const CALLER = { project: PROJECT, user: 'KEY' };
/** Of a call that names no project. */
export const REACH = { user: 'KEY', projects: [PROJECT] };
export const REALTIME = 'DI_REALTIME' as const;

const folders: string[] = [];
const scenes: Scene[] = [];
after(async () => {
  await Promise.all(scenes.map((scene) => scene.end()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The service of tasks over a real store, scripted servers and a scripted engine. */
export class Scene {
  readonly script = new Script().table('shop', 'a').table('shop', 'b').table('shop', 'c').table('shop', 'd');
  readonly clock = { time: Date.now(), now: () => this.clock.time };
  /** Of every task here. */
  readonly type: TaskType;
  readonly #folder = mkdtempSync(join(tmpdir(), 'disync-tasks-'));
  /** What receivers were told. */
  readonly told: { notification: AlarmNotification; receivers: readonly AlarmReceivers[] }[] = [];
  notifier: Notifier = {
    notify: async (notification, receivers) => {
      this.told.push({ notification, receivers });
      return 'over';
    },
    close: () => {},
  };
  store!: Store;
  engine!: ScriptedEngine;
  created!: CreatedTasks;
  #isOpen = false;

  private constructor(type: TaskType) {
    this.type = type;
  }

  static async make(type: TaskType = REALTIME): Promise<Scene> {
    const scene = new Scene(type);
    folders.push(scene.#folder);
    scenes.push(scene);
    await scene.open();
    await scene.addSource('shop_mysql', 'mysql', { jdbcUrl: 'jdbc:mysql://h/shop', database: 'shop', password: 'p' });
    await scene.addSource('bi_holo', 'holo', { endpoint: 'h:5432', password: 'p' });
    return scene;
  }

  async open(): Promise<void> {
    const { clock, notifier } = this;
    const connectors = scriptedConnectors(this.script);
    Object.assign(this, openTasks(this.#folder, { connectors, clock, notifier, planTimeoutMs: 200 }));
    this.#isOpen = true;
    await this.created.resumeAll();
  }

  /** The service ends and is started again. */
  async restart(): Promise<void> {
    await this.end();
    await this.open();
  }

  async end(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.created.close(100);
    await this.store.close();
  }

  get tasks() {
    return this.created.tasks;
  }

  addSource(name: string, type: string, content: object) {
    const source = { name, type, subType: null, env: 1, description: '', content: JSON.stringify(content) } as const;
    return this.created.dataSources.create(CALLER, source);
  }

  async result(process: ProcessId): Promise<ProcessState> {
    for (;;) {
      const found = await this.tasks.processResult(CALLER, { taskType: this.type, process, waitMs: 5000 });
      if (found.kind !== 'running') return found;
    }
  }

  /** A plan for these tables, of a new task or of one that is. */
  async plan(tables: readonly string[], task: TaskId | null = null): Promise<ProcessState> {
    const request = { taskType: this.type, taskParam: param(tables), idempotence: null };
    const process =
      task === null
        ? await this.tasks.generateForCreating(CALLER, request)
        : await this.tasks.generateForUpdating(CALLER, { ...request, task });
    return this.result(process);
  }

  async content(tables: readonly string[], task: TaskId | null = null): Promise<string> {
    const state = await this.plan(tables, task);
    assert.equal(state.kind, 'success', JSON.stringify(state));
    return state.kind === 'success' ? state.taskContent : '';
  }

  async create(tables: readonly string[], name = 'task'): Promise<TaskId> {
    const taskContent = await this.content(tables);
    return this.tasks.create(CALLER, { taskType: this.type, name, taskContent, taskParam: null, idempotence: null });
  }

  async update(task: TaskId, tables: readonly string[]): Promise<void> {
    await this.save(task, await this.content(tables, task));
  }

  async save(task: TaskId, taskContent: string): Promise<void> {
    await this.tasks.update(CALLER, { taskType: this.type, task, taskContent, taskParam: null });
  }

  deploy(task: TaskId) {
    return this.tasks.deploy(CALLER, { taskType: this.type, task });
  }

  start(task: TaskId, startParam: string | null = null) {
    return this.tasks.start(CALLER, { taskType: this.type, task, startParam });
  }

  stop(task: TaskId) {
    return this.tasks.stop(CALLER, { taskType: this.type, task });
  }

  terminate(task: TaskId) {
    return this.tasks.terminate(CALLER, { taskType: this.type, task });
  }

  delete(task: TaskId) {
    return this.tasks.delete(CALLER, { taskType: this.type, task });
  }

  info(task: TaskId): Promise<InstanceInfo> {
    return this.tasks.info(CALLER, { taskType: this.type, task });
  }

  async status(task: TaskId): Promise<string> {
    return (await this.info(task)).status;
  }

  /** Waits for a status that comes by itself. */
  async until(task: TaskId, status: string): Promise<void> {
    while ((await this.status(task)) !== status) await new Promise((resolve) => setImmediate(resolve));
  }

  /** A task that runs with these tables. */
  async running(tables: readonly string[]): Promise<TaskId> {
    const task = await this.create(tables);
    await this.deploy(task);
    await this.start(task);
    return task;
  }

  /** Table names of the newest definition that the engine has, each with the version since which it is there. */
  routes(task: TaskId): string[] {
    return (this.engine.defs.get(String(task))?.routes ?? []).map(({ table, since }) => `${table.table}${since}`);
  }
}

/** The script of a new task with these tables of the database shop. */
export function param(tables: readonly string[], setting: object = {}, writer: object = {}): string {
  return JSON.stringify({
    setting: { taskType: 'oneclick_to_holo', resourceGroup: 'g', ...setting },
    steps: [
      {
        stepType: 'mysql',
        category: 'reader',
        parameter: { connection: [{ datasource: 'shop_mysql', table: tables }] },
      },
      { stepType: 'holo', category: 'writer', parameter: { datasource: 'bi_holo', ...writer } },
    ],
  });
}

/** Whether a rejection is a TaskError of this kind with such a message. */
export function is(kind: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  };
}
