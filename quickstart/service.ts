import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICE_FLAGS } from '../scripts/node24.mjs';
import { tethered } from '../scripts/servers/tether.ts';

export interface DevService {
  /** `host:port`. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** The service for development, as `npm start -- --dev` runs it, on a port and with a store of its own. */
export async function startService(): Promise<DevService> {
  const folder = mkdtempSync(join(tmpdir(), 'disync-quickstart-'));
  const main = join(import.meta.dirname, '..', 'src', 'main.ts');
  const args = ['serve', '--dev', '--port', '0', '--data-dir', join(folder, 'data')];
  const { command, detached } = tethered([process.execPath, ...SERVICE_FLAGS, main, ...args]);
  const [program, ...rest] = command;
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached,
    env: { ...process.env, DISYNC_LOG_LEVEL: process.env['DISYNC_LOG_LEVEL'] ?? 'warn' },
  });
  const atExit = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  };
  process.once('exit', atExit);
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
    process.off('exit', atExit);
  };
  try {
    return { endpoint: await ready(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const endpoint = /ready on http:\/\/([\d.:]+)/.exec(text)?.[1];
      if (endpoint !== undefined) resolve(endpoint);
    });
    child.once('exit', (code) => reject(new Error(`the service ended with code ${code}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
