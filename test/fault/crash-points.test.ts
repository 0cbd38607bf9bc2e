import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { CRASH_POINTS, CRASH_STEPS, type CrashPoint, type CrashStep } from '../../src/lib/crash-point.ts';
import type { ApiTask } from '../support/api-task.ts';
import { HOLOGRES_FUNCTIONS } from '../support/hologres-under-test.ts';
import { KafkaTask, openKafkaEnds } from '../support/kafka-task.ts';
import { MaxComputeTask, openMaxComputeEnds } from '../support/maxcompute-task.ts';
import { startDouble } from '../support/maxcompute-under-test.ts';
import type { Family } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { fillSql, openEnds, TaskUnderTest } from '../support/task-under-test.ts';
import { foldTopic } from '../../quickstart/topic-fold.ts';
import { counterFaults } from '../support/counter-faults.ts';

/** A point that was not come to by then is never come to. */
const POINT_MS = 60_000;
/** What the API makes durable: the same whoever holds the checkpoint. */
const OF_THE_API: readonly CrashStep[] = [
  'process accepted',
  'process ended',
  'version saved',
  'deploy saved',
  'start saved',
  'stop saved',
];
/** Come to by alarms and jobs only: `alarm-kill.test.ts`, `job-finish.test.ts`. */
const OF_OTHERS: readonly CrashStep[] = ['alarm saved', 'alarm told', 'finish saved'];
/** Where the order of steps depends on who holds the checkpoint. */
const OF_THE_SINK: readonly CrashStep[] = [
  'filled targets saved',
  'checkpoint saved',
  'shape changed',
  'chunk merged',
  'sink commit',
];
/** What it does otherwise than others. */
const OF_KAFKA: readonly CrashStep[] = ['checkpoint recovered', 'targets prepared', 'records sent', 'sink commit'];
/** Sessions are noted before they are committed. */
const OF_MAXCOMPUTE: readonly CrashStep[] = ['journal written', 'target altered', 'rows stored', 'session committed'];
/** Come to when a column is added. */
const OF_ALTERED: readonly CrashStep[] = ['shape changed', 'target altered'];
const TESTS = [
  {
    holder: 'the target holds the checkpoint',
    open: (service: Service) => openPostgres(service, { family: 'mariadb', asHologres: false }),
    points: CRASH_POINTS.filter(
      (point) => ![...OF_THE_API, ...OF_OTHERS, 'records sent', ...OF_MAXCOMPUTE].includes(stepOf(point)),
    ),
  },
  {
    holder: 'our own store holds the checkpoint',
    open: (service: Service) => openPostgres(service, { family: 'mysql', asHologres: true }),
    points: CRASH_POINTS.filter((point) => [...OF_THE_API, ...OF_THE_SINK].includes(stepOf(point))),
  },
  {
    holder: 'Kafka holds the checkpoint',
    open: openKafka,
    points: CRASH_POINTS.filter((point) => OF_KAFKA.includes(stepOf(point))),
  },
  {
    holder: 'sessions of MaxCompute are noted in our own store',
    open: openMaxCompute,
    points: CRASH_POINTS.filter((point) => OF_MAXCOMPUTE.includes(stepOf(point))),
  },
] as const;

void describe('a service that ends at a crash point', { concurrency: true }, () => {
  for (const { holder, open, points } of TESTS) {
    void it(`loses nothing and doubles nothing, where ${holder}, at each of ${points.length}`, () =>
      endAtEach(open, points));
  }
});

/** A task whose tables are compared with what is at its target. */
interface Compared {
  readonly task: ApiTask;
  readonly mysql: Connection;
  /** Waits until a table is equal; gives the number of its rows. */
  untilEqual(table: string): Promise<number>;
  close(): Promise<void>;
}

function stepOf(point: CrashPoint): CrashStep {
  const step = CRASH_STEPS.find((candidate) => point.endsWith(` ${candidate}`));
  if (step === undefined) throw new Error(`no step has the point ${point}`);
  return step;
}

async function openPostgres(
  service: Service,
  { family, asHologres }: { family: Family; asHologres: boolean },
): Promise<Compared> {
  const ends = await openEnds(family);
  if (asHologres) await ends.pg.query(HOLOGRES_FUNCTIONS);
  const task = new TaskUnderTest(service, ends);
  return { task, mysql: ends.mysql, untilEqual: (table) => task.untilEqual(table), close: () => ends.close() };
}

/** Each change is seen once by committed readers, too. */
async function openKafka(service: Service): Promise<Compared> {
  const ends = await openKafkaEnds('mysql');
  const task = new KafkaTask(service, ends);
  const untilEqual = async (table: string): Promise<number> => {
    const changes = await task.untilFolded(table);
    assert.deepEqual(
      counterFaults(changes, 'n', ({ op }) => op === 'INSERT'),
      [],
    );
    return foldTopic(changes).size;
  };
  return { task, mysql: ends.mysql, untilEqual, close: () => ends.mysql.end() };
}

async function openMaxCompute(service: Service): Promise<Compared> {
  const ends = await openMaxComputeEnds('mariadb', await startDouble());
  const task = new MaxComputeTask(service, ends);
  const close = async () => void (await Promise.allSettled([ends.mysql.end(), ends.double.stop()]));
  return { task, mysql: ends.mysql, untilEqual: (table) => task.untilEqual(table), close };
}

async function endAtEach(open: (service: Service) => Promise<Compared>, points: readonly CrashPoint[]): Promise<void> {
  const service = await Service.start();
  const compared = await open(service);
  const { task, mysql } = compared;
  try {
    await mysql.query('CREATE TABLE base (id INT PRIMARY KEY, n INT)');
    for (const sql of fillSql('base', 500)) await mysql.query(sql);
    await task.run({ table: ['base'] });
    await task.untilStreaming('base');
    // Ended in good order it leaves what it compiled: the many starts that follow take a third less of a processor.
    await service.stop();
    for (const [index, point] of points.entries()) await endAt(compared, point, index);
  } finally {
    await service.dispose();
    await compared.close();
  }
}

/** Ends the service at one point of a change of its tables and rows; the change is made after, and all must be equal. */
async function endAt({ task, mysql, untilEqual }: Compared, point: CrashPoint, index: number): Promise<void> {
  const { service } = task;
  const step = stepOf(point);
  const added = `t${index}`;
  await mysql.query(`CREATE TABLE ${added} (id INT PRIMARY KEY, n INT)`);
  for (const sql of fillSql(added, 300)) await mysql.query(sql);
  await service.kill();
  await service.restart({ crashPoint: point }).catch(onlyIfOver(service));
  if (OF_ALTERED.includes(step)) await mysql.query(`ALTER TABLE base ADD COLUMN c${index} INT`);
  const deadline = Date.now() + POINT_MS;
  while (!service.isOver && Date.now() < deadline) {
    await mysql.query(`UPDATE base SET n = n + 1 WHERE id % 3 = ${index % 3}`);
    await mysql.query(`UPDATE ${added} SET n = n + 1 WHERE id % 5 = 0`);
    if (step === 'stop saved' || step === 'start saved') await stopAndStart(task).catch(onlyIfOver(service));
    else if (!OF_ALTERED.includes(step)) await change(task, added).catch(onlyIfOver(service));
  }
  assert.equal(service.isOver, true, `nothing came to the point "${point}"`);
  await service.restart();
  await task.do('StartDISyncInstance');
  await change(task, added);
  assert.deepEqual([await untilEqual('base'), await untilEqual(added)], [500, 300], point);
}

async function change(task: ApiTask, added: string): Promise<void> {
  await task.change({ table: ['base', added] });
  await task.untilStreaming('base', added);
}

async function stopAndStart(task: ApiTask): Promise<void> {
  await task.do('StopDISyncInstance');
  await task.do('StartDISyncInstance');
}

/** A call that was cut because the service ended. */
function onlyIfOver(service: Service) {
  return async (error: unknown): Promise<void> => {
    for (let tries = 0; tries < 20 && !service.isOver; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (!service.isOver) throw error;
  };
}
