import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import { silentLog } from '../../src/lib/log.ts';
import { Store } from '../../src/store/store.ts';
import { createTasks, type CreatedTasks, type CreateTasksOptions } from '../../src/tasks/create-tasks.ts';
import { silentNotifier } from '../../src/tasks/notifier.ts';
import { ScriptedEngine } from './scripted-engine.ts';

export interface OpenTasks {
  readonly store: Store;
  readonly engine: ScriptedEngine;
  readonly created: CreatedTasks;
}

/** The services of tasks over a real store, made or opened in `base`, and an engine that does as a test says. */
export function openTasks(
  base: string,
  options: Pick<CreateTasksOptions, 'connectors'> & Partial<CreateTasksOptions>,
): OpenTasks {
  const { clock = systemClock } = options;
  const store = Store.open({
    folder: join(base, 'data'),
    masterKey: null,
    masterKeyFile: null,
    clock,
    exclusive: true,
  });
  let engine: ScriptedEngine | undefined;
  const created = createTasks({
    store,
    checkpoints: store.checkpoints,
    instances: {},
    hosts: DEFAULT_HOST_POLICY,
    clock,
    log: silentLog,
    notifier: silentNotifier,
    engine: (listener) => (engine = new ScriptedEngine(listener)),
    ...options,
  });
  if (engine === undefined) throw new Error('createTasks made no engine');
  return { store, engine, created };
}
