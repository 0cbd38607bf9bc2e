import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaBroker, KafkaServer } from '../../scripts/servers/kafka.ts';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import type { CountingWriter } from './counting-writer.ts';
import { limitWrites } from './kafka-tools.ts';
import { pick } from './log-grammar.ts';
import type { Service } from './service.ts';
import type { StallingProxy } from './stalling-proxy.ts';

/** What faults happen to. */
export interface Scene {
  readonly random: () => number;
  readonly service: Service;
  readonly kafka: KafkaServer;
  /** Before the brokers, in their order. */
  readonly proxies: readonly StallingProxy[];
  readonly writers: readonly CountingWriter[];
}

/** Silence that some notice and some do not. */
const SILENCE_MS = 2000;
/** Transactions that are open for longer are aborted. */
export const TRANSACTION_TIMEOUT_MS = 5000;

/** How often each comes in a deck of faults; whatever a fault breaks is whole again when it resolves. */
export const FAULTS = {
  'service killed': { weight: 5, make: killService },
  'service killed as it starts': { weight: 2, make: killTwice },
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
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

interface Fault {
  readonly weight: number;
  readonly make: (scene: Scene) => Promise<void>;
}

/** Names of `count` faults in a random order: each comes as often as its weight says, as far as that goes. */
export function drawFaults(random: () => number, count: number): FaultName[] {
  const drawn: FaultName[] = [];
  while (drawn.length < count) {
    const deck = Object.entries(FAULTS).flatMap(([name, { weight }]) =>
      Array.from({ length: weight }, () => ({ name: name as FaultName, order: random() })),
    );
    drawn.push(...deck.toSorted((a, b) => a.order - b.order).map(({ name }) => name));
  }
  return drawn.slice(0, count);
}

async function killService({ service }: Scene): Promise<void> {
  await service.kill();
  await service.restart();
}

async function killTwice({ service, random }: Scene): Promise<void> {
  await service.kill();
  // Killed while it takes up its run: this start may never come to its end.
  void service.restart().catch(() => {});
  await sleep(400 + random() * 1600);
  await service.kill();
  await service.restart();
}

/** Steps that a run comes to by itself. */
const CRASH_POINTS: readonly CrashPoint[] = [
  'before checkpoint recovered',
  'after checkpoint recovered',
  'before records sent',
  'after records sent',
  'after sink commit',
];
const CRASH_WITHIN_MS = 20_000;

async function crash({ service, random }: Scene): Promise<void> {
  const point = pick(random, CRASH_POINTS);
  await service.kill();
  await service.restart({ crashPoint: point }).catch(() => {});
  for (const deadline = Date.now() + CRASH_WITHIN_MS; !service.isOver; await sleep(50))
    if (Date.now() > deadline) throw new Error(`nothing came to the point "${point}"`);
  await service.restart();
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
