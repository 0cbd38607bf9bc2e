import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import type { FaultDeck, FaultScene } from './fault-deck.ts';
import { pick } from './log-grammar.ts';
import type { DoubleProcess, ToldFault } from './maxcompute-process.ts';
import { crashService, killService, killServiceTwice } from './service-faults.ts';

export type TableType = 'delta' | 'log' | 'append';

/** What faults happen to. */
export interface Scene extends FaultScene {
  readonly double: DoubleProcess;
  readonly tableType: TableType;
  /** Waits until all that was written is at the target, with no one writing. */
  settle(): Promise<void>;
}

export const FAULTS: FaultDeck<Scene> = {
  'service killed': { weight: 5, make: killService },
  'service killed as it starts': { weight: 2, make: killServiceTwice },
  'service killed at a crash point': { weight: 8, make: crash },
  'service killed while commits are refused': { weight: 3, make: killWhileRefused },
  'service killed behind a lost reply of a commit': { weight: 3, make: killBehindLostReply },
  'connections cut': { weight: 3, make: cut },
  'replies lost': { weight: 3, make: loseReplies },
  'calls failed': { weight: 3, make: failCalls },
  'calls throttled': { weight: 2, make: throttle },
  'calls slow': { weight: 2, make: slow },
  'buckets moved': { weight: 2, make: moveSlots },
  'table altered': { weight: 2, make: alter },
  'a commit failed at the service': { weight: 2, make: failCommit },
  'sessions expired': { weight: 2, make: expire },
  'sessions forgotten': { weight: 1, make: forget },
};

/** Steps that a run comes to by itself. */
const CRASH_POINTS: readonly CrashPoint[] = [
  'before checkpoint recovered',
  'after checkpoint recovered',
  'before journal written',
  'after journal written',
  'before rows stored',
  'after rows stored',
  'before session committed',
  'after session committed',
  'after sink commit',
];

function crash(scene: Scene): Promise<void> {
  return crashService(scene, CRASH_POINTS);
}

/** The calls that commit: they have no more in their query than these. */
const COMMITS: readonly Pick<ToldFault, 'method' | 'path'>[] = [
  { method: 'POST', path: 'uploadid=' },
  { method: 'POST', path: 'upsertid=' },
];

async function killWhileRefused({ service, double, random }: Scene): Promise<void> {
  await double.fault(
    ...COMMITS.map(
      (call): ToldFault => ({ ...call, what: 'refuse', status: 500, code: 'InternalServerError', times: 200 }),
    ),
  );
  await sleep(1000 + random() * 1500);
  await service.kill();
  await double.clear();
  await service.restart();
}

async function killBehindLostReply({ service, double, random }: Scene): Promise<void> {
  await double.fault(...COMMITS.map((call): ToldFault => ({ ...call, what: 'replyLost', times: 3 })));
  await sleep(1000 + random() * 1500);
  await service.kill();
  await double.clear();
  await service.restart();
}

async function during({ double, random }: Scene, ...faults: readonly ToldFault[]): Promise<void> {
  await double.fault(...faults);
  await sleep(500 + random() * 2000);
  await double.clear();
}

function cut(scene: Scene): Promise<void> {
  return during(scene, { what: 'cut', times: 1 + Math.floor(scene.random() * 12) });
}

function loseReplies(scene: Scene): Promise<void> {
  return during(
    scene,
    { what: 'replyLost', method: 'PUT', times: 3 },
    ...COMMITS.map((call): ToldFault => ({ ...call, what: 'replyLost', times: 2 })),
    { what: 'replyLost', times: 4 },
  );
}

function failCalls(scene: Scene): Promise<void> {
  const status = pick(scene.random, [500, 502, 503, 504]);
  return during(scene, { what: 'refuse', status, times: 1 + Math.floor(scene.random() * 20) });
}

function throttle(scene: Scene): Promise<void> {
  return during(scene, { what: 'refuse', status: 429, code: 'FlowExceeded', holdMs: 200, times: 6 });
}

function slow(scene: Scene): Promise<void> {
  return during(scene, { what: 'slow', ms: 400, times: 20 });
}

async function moveSlots({ double, random }: Scene): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await double.event('moveSlots');
    await sleep(random() * 400);
  }
}

function alter(scene: Scene): Promise<void> {
  return during(scene, { what: 'refuse', method: 'PUT', status: 412, code: 'SchemaModified', times: 2 });
}

/** One of several sessions of a commit is lost then: what is appended would be in doubt, and stop the run, as it should. */
async function failCommit({ double, tableType, random }: Scene): Promise<void> {
  if (tableType === 'delta') await double.event('failNextCommit');
  await sleep(random() * 1500);
}

/** A day passes between a commit that never was and the next start. */
async function expire({ service, double, writers, settle }: Scene): Promise<void> {
  await Promise.all(writers.map((writer) => writer.stop()));
  await settle();
  await double.fault(
    ...COMMITS.map(
      (call): ToldFault => ({ ...call, what: 'refuse', status: 500, code: 'InternalServerError', times: 500 }),
    ),
  );
  for (const writer of writers) writer.start();
  await sleep(2500);
  await service.kill();
  await double.event('expireSessions');
  await double.clear();
  await service.restart();
}

/** What was upserted is upserted again; uploads are never forgotten within their day. */
async function forget({ service, double, tableType }: Scene): Promise<void> {
  await service.kill();
  if (tableType === 'delta') await double.event('forgetSessions');
  await service.restart();
}
