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
    const args = all.slice(0, command.registeredArguments.length);
    await useStore(configOf(options), async (store) => action(store, args, options));
  });
}

/** The configuration of the service, of which a command may give another store or file. Errors: ConfigError. */
export function configOf({ dataDir, config }: { readonly dataDir?: unknown; readonly config?: unknown }): Config {
  return readConfig({ ...(dataDir === undefined ? {} : { dataDir }), ...(config === undefined ? {} : { config }) });
}

/** Opens the store beside a service that may run. Errors: those of Store.open, and what `work` throws. */
export async function useStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const { dataDir: folder, masterKey, masterKeyFile } = config;
  const store = Store.open({ folder, masterKey, masterKeyFile, clock: systemClock, exclusive: false });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
