#!/usr/bin/env node
// The command `disync`: finds Node 24 and runs the command line on it.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { findNode, nodeEnvironment, SERVICE_FLAGS } from '../scripts/node24.mjs';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.ts');
const child = spawn(findNode(), [...SERVICE_FLAGS, main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: nodeEnvironment(),
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
