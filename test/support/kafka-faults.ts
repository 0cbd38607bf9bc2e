import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaBroker, KafkaServer } from '../../scripts/servers/kafka.ts';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import type { FaultDeck, FaultScene } from './fault-deck.ts';
import { limitWrites } from './kafka-tools.ts';
import { pick } from './log-grammar.ts';
import { crashService, killService, killServiceTwice } from './service-faults.ts';
import type { StallingProxy } from './stalling-proxy.ts';

/** What faults happen to. */
export interface Scene extends FaultScene {
  readonly kafka: KafkaServer;
  /** Before the brokers, in their order. */
  readonly proxies: readonly StallingProxy[];
}

/** Silence that some notice and some do not. */
const SILENCE_MS = 2000;
/** Transactions that are open for longer are aborted. */
export const TRANSACTION_TIMEOUT_MS = 5000;

export const FAULTS: FaultDeck<Scene> = {
  'service killed': { weight: 5, make: killService },
  'service killed as it starts': { weight: 2, make: killServiceTwice },
  'service killed at a crash point': { weight: 4, make: crash },
  'service frozen for longer than its transaction may take': { weight: 1, make: freezeService },
  'connections cut': { weight: 3, make: cut },
  'answers lost': { weight: 4, make: loseAnswers },
  'requests late': { weight: 3, make: delayRequests },
  'ends of transactions late': { weight: 2, make: delayEnds },
  'connections silent': { weight: 2, make: stall },
  'network silent': { weight: 2, make: partition },
  'broker killed': { weight: 3, make: killBroker },
  'broker frozen': { weight: 3, make: freezeBroker },
  'writes throttled': { weight: 1, make: throttle },
};

/** Steps that a run comes to by itself. */
const CRASH_POINTS: readonly CrashPoint[] = [
  'before checkpoint recovered',
  'after checkpoint recovered',
  'before records sent',
  'after records sent',
  'after sink commit',
];

function crash(scene: Scene): Promise<void> {
  return crashService(scene, CRASH_POINTS);
}

async function freezeService({ service, writers }: Scene): Promise<void> {
  // A long transaction: it is in the midst of it, most likely.
  const writing = Promise.all(writers.map((writer) => writer.changeAll()));
  await sleep(150);
  process.kill(service.pid, 'SIGSTOP');
  await sleep(TRANSACTION_TIMEOUT_MS + 1500);
  process.kill(service.pid, 'SIGCONT');
  await writing;
}

async function cut({ proxies }: Scene): Promise<void> {
  for (const proxy of proxies) proxy.cut();
}

async function loseAnswers({ proxies, random }: Scene): Promise<void> {
  for (const proxy of proxies) proxy.loseAnswers();
  await sleep(random() * 500);
}

/** They may come to brokers after their transaction has timed out, or after another producer has taken over. */
async function delayRequests({ proxies, random, writers }: Scene): Promise<void> {
  const writing = Promise.all(writers.map((writer) => writer.changeAll()));
  await sleep(random() * 500);
  for (const proxy of proxies) proxy.hold();
  await sleep(random() < 0.5 ? random() * 2 * SILENCE_MS : TRANSACTION_TIMEOUT_MS + 1500);
  for (const proxy of proxies) proxy.deliver();
  await writing;
}

/** What was sent waits for the end of its transaction until the coordinator has ended it. */
async function delayEnds({ proxies, random, writers }: Scene): Promise<void> {
  for (const proxy of proxies) proxy.hold((first) => first.readInt16BE(API_KEY_AT) !== PRODUCE);
  await Promise.all(writers.map((writer) => writer.changeAll()));
  await sleep(random() < 0.5 ? random() * 2 * SILENCE_MS : TRANSACTION_TIMEOUT_MS + 1500);
  for (const proxy of proxies) proxy.deliver();
}

/** Of a request of Kafka's protocol: behind its length. */
const API_KEY_AT = 4;
const PRODUCE = 0;

async function stall({ proxies, random }: Scene): Promise<void> {
  for (const proxy of proxies) proxy.stall({ alsoNew: false });
  await sleep(random() * SILENCE_MS);
}

async function partition({ proxies, random }: Scene): Promise<void> {
  for (const proxy of proxies) proxy.stall({ alsoNew: true });
  await sleep(random() * 2 * SILENCE_MS);
  for (const proxy of proxies) proxy.heal();
}

/** In a cluster its partitions get other leaders, and, soon after it is back, it leads them again. */
async function killBroker({ kafka, random }: Scene): Promise<void> {
  const broker = pick(random, kafka.brokers);
  await broker.kill();
  await sleep(random() * 4000);
  await broker.restart();
}

async function freezeBroker({ kafka, random }: Scene): Promise<void> {
  const broker: KafkaBroker = pick(random, kafka.brokers);
  process.kill(broker.pid, 'SIGSTOP');
  await sleep(random() * 2.5 * SILENCE_MS);
  process.kill(broker.pid, 'SIGCONT');
}

async function throttle({ kafka, random, writers }: Scene): Promise<void> {
  await limitWrites(kafka, 20_000);
  await Promise.all(writers.map((writer) => writer.changeAll()));
  await sleep(random() * 3000);
  await limitWrites(kafka, null);
}
