// npm run check: types, lint, format, layers. Prints what is wrong and nothing else.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const modules = join(import.meta.dirname, '..', 'node_modules');
const bin = (name: string) => join(modules, '.bin', name);

const STEPS: readonly (readonly [what: string, program: string, args: readonly string[]])[] = [
  ['types', process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-p', '.']],
  ['lint', bin('oxlint'), ['--type-aware', '--quiet', '.']],
  ['format', bin('biome'), ['format', '.']],
  ['layers', process.execPath, ['--test', '--test-reporter=dot', 'test/imports.test.ts']],
];

let failed = false;
for (const [what, program, args] of STEPS) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '..'),
  });
  if (status === 0) continue;
  failed = true;
  console.error(`${what}:\n${stdout}${stderr}`);
}
console.log(failed ? 'the check does not hold' : 'types, lint, format and layers hold');
process.exit(failed ? 1 : 0);
