import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import type { FaultScene } from './fault-deck.ts';
import { pick } from './log-grammar.ts';

const CRASH_WITHIN_MS = 20_000;

export async function killService({ service }: FaultScene): Promise<void> {
  await service.kill();
  await service.restart();
}

export async function killServiceTwice({ service, random }: FaultScene): Promise<void> {
  await service.kill();
  // Killed while it takes up its run: this start may never come to its end.
  void service.restart().catch(() => {});
  await sleep(400 + random() * 1600);
  await service.kill();
  await service.restart();
}

/** `points`: steps that a run comes to by itself. Errors: Error if it does not come to the one that was drawn. */
export async function crashService({ service, random }: FaultScene, points: readonly CrashPoint[]): Promise<void> {
  const point = pick(random, points);
  await service.kill();
  await service.restart({ crashPoint: point }).catch(() => {});
  for (const deadline = Date.now() + CRASH_WITHIN_MS; !service.isOver; await sleep(50))
    if (Date.now() > deadline) throw new Error(`nothing came to the point "${point}"`);
  await service.restart();
}
