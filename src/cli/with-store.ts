import type { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { systemClock } from '../lib/clock.ts';
import { Store } from '../store/store.ts';

type Action = (
  store: Store,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void> | void;

/** Makes a command work on the store itself, also while the service runs. */
export function withStore(command: Command, action: Action): void {
  command.option('--data-dir <folder>', 'folder of the store').option('--config <file>', 'configuration file');
  command.action(async (...all: unknown[]) => {
    const options = command.opts<Record<string, unknown>>();
    const { dataDir, config } = options;
    const store = openStore(
      readConfig({ ...(dataDir === undefined ? {} : { dataDir }), ...(config === undefined ? {} : { config }) }),
    );
    try {
      await action(store, all.slice(0, command.registeredArguments.length), options);
    } finally {
      await store.close();
    }
  });
}

function openStore({ dataDir, masterKey, masterKeyFile }: Config): Store {
  return Store.open({ folder: dataDir, masterKey, masterKeyFile, clock: systemClock, exclusive: false });
}
