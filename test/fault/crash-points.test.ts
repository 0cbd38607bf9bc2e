import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CRASH_POINTS, CRASH_STEPS, type CrashPoint, type CrashStep } from '../../src/lib/crash-point.ts';
import { HOLOGRES_FUNCTIONS } from '../support/hologres-under-test.ts';
import type { Family } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { fillSql, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

/** A point that was not come to by then is never come to. */
const POINT_MS = 15_000;
/** What the API makes durable: the same whoever holds the checkpoint. */
const OF_THE_API: readonly CrashStep[] = [
  'process accepted',
  'process ended',
  'version saved',
  'deploy saved',
  'start saved',
  'stop saved',
];
/** Where the order of steps depends on who holds the checkpoint. */
const OF_THE_SINK: readonly CrashStep[] = [
  'filled targets saved',
  'checkpoint saved',
  'shape changed',
  'chunk merged',
  'sink commit',
];
const TESTS = [
  {
    family: 'mariadb',
    holder: 'the target holds the checkpoint',
    asHologres: false,
    points: CRASH_POINTS.filter((point) => !OF_THE_API.includes(stepOf(point))),
  },
  {
    family: 'mysql',
    holder: 'our own store holds the checkpoint',
    asHologres: true,
    points: CRASH_POINTS.filter((point) => [...OF_THE_API, ...OF_THE_SINK].includes(stepOf(point))),
  },
] as const;

void describe('a service that ends at a crash point', { concurrency: true }, () => {
  for (const { family, holder, asHologres, points } of TESTS) {
    void it(`loses nothing and doubles nothing, where ${holder}, at each of ${points.length}`, () =>
      endAtEach({ family, asHologres, points }));
  }
});

function stepOf(point: CrashPoint): CrashStep {
  const step = CRASH_STEPS.find((candidate) => point.endsWith(` ${candidate}`));
  if (step === undefined) throw new Error(`no step has the point ${point}`);
  return step;
}

async function endAtEach(options: {
  family: Family;
  asHologres: boolean;
  points: readonly CrashPoint[];
}): Promise<void> {
  const [service, ends] = await Promise.all([Service.start(), openEnds(options.family)]);
  try {
    if (options.asHologres) await ends.pg.query(HOLOGRES_FUNCTIONS);
    await ends.mysql.query('CREATE TABLE base (id INT PRIMARY KEY, n INT)');
    for (const sql of fillSql('base', 500)) await ends.mysql.query(sql);
    const task = new TaskUnderTest(service, ends);
    await task.run({ table: ['base'] });
    await task.untilStreaming('base');
    // Ended in good order it leaves what it compiled: the many starts that follow take a third less of a processor.
    await service.stop();
    for (const [index, point] of options.points.entries()) await endAt(task, point, index);
  } finally {
    await service.dispose();
    await ends.close();
  }
}

/** Ends the service at one point of a change of its tables and rows; the change is made after, and all must be equal. */
async function endAt(task: TaskUnderTest, point: CrashPoint, index: number): Promise<void> {
  const { service, ends } = task;
  const step = stepOf(point);
  const added = `t${index}`;
  await ends.mysql.query(`CREATE TABLE ${added} (id INT PRIMARY KEY, n INT)`);
  for (const sql of fillSql(added, 300)) await ends.mysql.query(sql);
  await service.kill();
  await service.restart({ crashPoint: point }).catch(onlyIfOver(service));
  if (step === 'shape changed') await ends.mysql.query(`ALTER TABLE base ADD COLUMN c${index} INT`);
  const deadline = Date.now() + POINT_MS;
  while (!service.isOver && Date.now() < deadline) {
    await ends.mysql.query(`UPDATE base SET n = n + 1 WHERE id % 3 = ${index % 3}`);
    await ends.mysql.query(`UPDATE ${added} SET n = n + 1 WHERE id % 5 = 0`);
    if (step === 'stop saved' || step === 'start saved') await stopAndStart(task).catch(onlyIfOver(service));
    else if (step !== 'shape changed') await change(task, added).catch(onlyIfOver(service));
  }
  assert.equal(service.isOver, true, `nothing came to the point "${point}"`);
  await service.restart();
  await task.do('StartDISyncInstance');
  await change(task, added);
  assert.deepEqual([await task.untilEqual('base'), await task.untilEqual(added)], [500, 300], point);
}

async function change(task: TaskUnderTest, added: string): Promise<void> {
  await task.change({ table: ['base', added] });
  await task.untilStreaming('base', added);
}

async function stopAndStart(task: TaskUnderTest): Promise<void> {
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
