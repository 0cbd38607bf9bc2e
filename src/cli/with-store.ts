import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { systemClock } from '../lib/clock.ts';
import { CodedError } from '../lib/errors.ts';
import { Store } from '../store/store.ts';

type Action = (
  store: Store,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void> | void;

/** Makes a command work on the store itself, also while the service runs. One that is not there is not made by the way. */
export function withStore(command: Command, action: Action): void {
  onStore(command, useStore, action);
}

/** The same for a command that may be the first. */
export function makingStore(command: Command, action: Action): void {
  onStore(command, openStore, action);
}

function onStore(command: Command, open: typeof useStore, action: Action): void {
  command.option('--data-dir <folder>', 'folder of the store').option('--config <file>', 'configuration file');
  command.action(async (...all: unknown[]) => {
    const options = command.opts<Record<string, unknown>>();
    const args = all.slice(0, command.registeredArguments.length);
    await open(configOf(options), async (store) => action(store, args, options));
  });
}

/** The configuration of the service, of which a command may give another store or file. Errors: ConfigError. */
export function configOf({ dataDir, config }: { readonly dataDir?: unknown; readonly config?: unknown }): Config {
  return readConfig({ ...(dataDir === undefined ? {} : { dataDir }), ...(config === undefined ? {} : { config }) });
}

/** Opens the store, beside a service that may run. Errors: CodedError, and what `work` throws. */
export async function useStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const { dataDir } = config;
  if (!existsSync(join(dataDir, 'disync.db')))
    throw new CodedError('Store.Missing', `there is no store at ${dataDir}`, {
      hint: 'Give --data-dir; "disync serve" and "disync project create" make a store.',
    });
  return openStore(config, work);
}

async function openStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const { dataDir: folder, masterKey, masterKeyFile } = config;
  const store = Store.open({ folder, masterKey, masterKeyFile, clock: systemClock, exclusive: false });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
