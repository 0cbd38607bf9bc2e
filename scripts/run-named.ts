import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a module in `test/long` or `bench` exports. */
export interface Named {
  run(options: RunOptions): Promise<void>;
}

/** What the command line asks for. */
export interface RunOptions {
  /** Null without `--n`: as many as are usual. */
  readonly n: number | null;
  readonly seed: number;
  /** All that is behind the name. */
  readonly args: readonly string[];
}

/** Runs the module of a folder that the first argument names, with `--n` and `--seed`; without one, lists them. */
export async function runNamed(folder: string, command: string): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  const names = readdirSync(folder).flatMap((file) =>
    file.endsWith('.ts') && !file.endsWith('.test.ts') && isEntry(file) ? [file.slice(0, -3)] : [],
  );
  if (name === undefined || !names.includes(name)) {
    console.error(`usage: ${command} -- NAME [--n N] [--seed S]\nnames: ${names.join(', ')}`);
    process.exit(2);
  }
  const seed = numberAfter(args, '--seed') ?? Math.floor(Math.random() * 2 ** 31);
  console.log(`${name}: seed ${seed}`);
  const module = (await import(pathToFileURL(join(folder, `${name}.ts`)).href)) as Named;
  await module.run({ n: numberAfter(args, '--n'), seed, args });
}

/** Modules that others share have a folder or a name of their own. */
function isEntry(file: string): boolean {
  return !['bench.ts', 'workload.ts'].includes(file);
}

/** The whole number behind a flag; null without the flag. */
export function numberAfter(args: readonly string[], flag: string): number | null {
  const index = args.indexOf(flag);
  if (index < 0) return null;
  const value = Number(args[index + 1]);
  if (!Number.isSafeInteger(value)) throw new Error(`${flag} wants a whole number`);
  return value;
}
