// Imported before what needs packages: ends the process with a plain sentence when node_modules is not as package-lock.json says.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Package {
  readonly version: string;
  /** Such as of another platform. */
  readonly optional?: boolean;
}

const ROOT = join(import.meta.dirname, '..');
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Package>> };

for (const [folder, { version, optional = false }] of Object.entries(packages)) {
  if (folder === '') continue;
  const file = join(folder, 'package.json');
  const found = existsSync(join(ROOT, file)) ? (read(file) as Package).version : null;
  if (found === version || (found === null && optional)) continue;
  const wrong = `${folder.replace('node_modules/', '')} is ${found === null ? 'missing' : `${found}, not ${version}`}`;
  console.error(`node_modules does not match package-lock.json (${wrong}): run npm ci`);
  process.exit(1);
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
}
