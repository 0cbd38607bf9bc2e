import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROJECT, REACH, Scene } from '../../test/support/task-scene.ts';
import type { AlarmRuleSpec } from './alarm-rule.ts';
import type { TaskId } from './ids.ts';

const MINUTE = 60_000;
const START = 1_700_000_000_000;
const HOOK = { type: 'WebHookUrl', values: ['https://hooks.example/secret'] } as const;

function spec(metric: AlarmRuleSpec['metric'], changes: Partial<AlarmRuleSpec> = {}): AlarmRuleSpec {
  return {
    description: null,
    enabled: true,
    metric,
    conditions: [{ severity: 'Critical', durationMinutes: 2, threshold: 2, ddl: null }],
    muteMinutes: 5,
    channels: [{ severity: 'Critical', channels: ['Webhook'] }],
    receivers: [HOOK],
    ...changes,
  };
}

class Watched {
  readonly scene: Scene;
  readonly task: TaskId;

  private constructor(scene: Scene, task: TaskId) {
    this.scene = scene;
    this.task = task;
  }

  static async make(...specs: readonly AlarmRuleSpec[]): Promise<Watched> {
    const scene = await Scene.make();
    scene.clock.time = START;
    const task = await scene.running(['a']);
    for (const one of specs) await scene.created.alarms.create(REACH, { task, spec: one });
    return new Watched(scene, task);
  }

  /** A look each minute, as often; what was told meanwhile, with its minute. */
  async look(minutes: number): Promise<string[]> {
    const { scene } = this;
    const before = scene.told.length;
    for (let minute = 0; minute < minutes; minute++) {
      await scene.created.alarmWatch.look();
      scene.clock.time += MINUTE;
    }
    return scene.told
      .slice(before)
      .map(
        ({ notification: { at, message } }) => `${(at - START) / MINUTE}: ${message.replace(`(${this.task})`, '()')}`,
      );
  }

  show(changes: Parameters<Scene['engine']['show']>[1]): void {
    this.scene.engine.show(String(this.task), changes);
  }
}

test('a task that is late is told of with all that a receiver needs', async () => {
  const watched = await Watched.make(spec('Delay'));
  watched.show({ lagMs: 2500 });
  assert.deepEqual(await watched.look(3), ['2: task () is 2 s behind; the limit is 2 s.']);
  assert.deepEqual(watched.scene.told, [
    {
      notification: {
        kind: 'holds',
        rule: 1n,
        task: watched.task,
        taskName: 'task',
        project: PROJECT,
        metric: 'Delay',
        severity: 'Critical',
        value: 2,
        threshold: 2,
        message: `task (${watched.task}) is 2 s behind; the limit is 2 s.`,
        at: START + 2 * MINUTE,
      },
      receivers: [HOOK],
    },
  ]);
});

test('the heartbeat of a run that ended by an error is missed, with the reason, until the task is started', async () => {
  const watched = await Watched.make(spec('Heartbeat'));
  assert.deepEqual(await watched.look(2), []);
  const failure = { code: 'MySQL.Denied', message: 'no', remedy: 'GRANT' };
  watched.scene.engine.fail(String(watched.task), failure);
  await watched.scene.until(watched.task, 'PAUSE');
  assert.deepEqual(await watched.look(4), ['4: task () does not run. MySQL.Denied: no. GRANT']);
  await watched.scene.start(watched.task);
  watched.show({ lagMs: 0 });
  assert.deepEqual(await watched.look(10), ['6: task () runs again.']);
});

test('what was told of is said to be over: by itself, or because the task was stopped', async () => {
  const watched = await Watched.make(spec('Delay'), spec('FailoverCount'));
  watched.show({ lagMs: 2500 });
  await watched.look(1);
  watched.show({ lagMs: 2500, failovers: 2 });
  assert.deepEqual(await watched.look(2), [
    '1: task () had 2 failovers in 2 minutes; the limit is 2.',
    '2: task () is 2 s behind; the limit is 2 s.',
  ]);
  watched.show({ lagMs: 1900, failovers: 2 });
  assert.deepEqual(await watched.look(2), [
    '3: task () is no longer late: it is 1 s behind; the limit is 2 s.',
    '3: task () had only 0 failovers in the last 2 minutes; the limit is 2.',
  ]);
  assert.deepEqual(
    watched.scene.told.map(({ notification: { kind } }) => kind),
    ['holds', 'holds', 'ended', 'ended'],
  );
  watched.show({ lagMs: 9000 });
  assert.equal((await watched.look(6)).length, 1);
  await watched.scene.stop(watched.task);
  assert.deepEqual(await watched.look(2), ['11: task () was stopped: its Delay is not watched until it is started.']);
});

test('the heartbeat of a task that was stopped is not missed, nor of one that never ran', async () => {
  const watched = await Watched.make(spec('Heartbeat'));
  await watched.scene.stop(watched.task);
  const idle = await watched.scene.create(['b'], 'idle');
  await watched.scene.created.alarms.create(REACH, { task: idle, spec: spec('Heartbeat') });
  assert.deepEqual(await watched.look(10), []);
});

test('the heartbeat of a run that waits for its next try is missed, and not of one that is starting', async () => {
  const conditions = [{ severity: 'Critical', durationMinutes: null, threshold: null, ddl: null }] as const;
  const watched = await Watched.make(spec('Heartbeat', { conditions }));
  watched.show({ phase: 'starting' });
  assert.deepEqual(await watched.look(2), []);
  watched.show({ phase: 'backing-off' });
  assert.deepEqual(await watched.look(2), ['2: task () does not run.']);
});

test('failovers and statements of a run are told of', async () => {
  const watched = await Watched.make(spec('FailoverCount'), spec('DdlReport'));
  assert.deepEqual(await watched.look(1), []);
  watched.show({ failovers: 2, ddl: { ADDCOLUMN: 1 } });
  assert.deepEqual(await watched.look(1), [
    '1: task () had 2 failovers in 2 minutes; the limit is 2.',
    '1: task () met 1 DDL statement on its tables.',
  ]);
});

test('only those who are told of a severity are', async () => {
  const conditions = [
    { severity: 'Warning', durationMinutes: null, threshold: 1, ddl: null },
    { severity: 'Critical', durationMinutes: null, threshold: 9, ddl: null },
  ] as const;
  const ding = { type: 'DingToken', values: ['t'] } as const;
  const channels = [
    { severity: 'Warning', channels: ['Webhook'] },
    { severity: 'Critical', channels: ['Ding'] },
  ] as const;
  const watched = await Watched.make(spec('Delay', { conditions, channels, receivers: [HOOK, ding] }));
  watched.show({ lagMs: 9000 });
  await watched.look(1);
  assert.deepEqual(
    watched.scene.told.map(({ notification: { severity }, receivers }) => [severity, receivers]),
    [
      ['Warning', [HOOK]],
      ['Critical', [HOOK, ding]],
    ],
  );
});

test('a restart of the service tells nothing twice within the mute interval', async () => {
  const watched = await Watched.make(
    spec('Delay', { conditions: [{ severity: 'Critical', durationMinutes: null, threshold: 2, ddl: null }] }),
  );
  watched.show({ lagMs: 2000 });
  assert.deepEqual(await watched.look(1), ['0: task () is 2 s behind; the limit is 2 s.']);
  await watched.scene.restart();
  watched.show({ lagMs: 2000 });
  assert.deepEqual(await watched.look(6), ['5: task () is 2 s behind; the limit is 2 s.']);
});

test('a rule that is edited begins anew, and one that is disabled or deleted is not watched', async () => {
  const watched = await Watched.make(spec('Delay'));
  const { alarms } = watched.scene.created;
  const { rows } = await alarms.list(REACH, { task: watched.task, page: { pageNumber: 1, pageSize: 1 } });
  const rule = rows[0]?.id;
  assert.ok(rule !== undefined);
  watched.show({ lagMs: 2000 });
  assert.deepEqual(await watched.look(3), ['2: task () is 2 s behind; the limit is 2 s.']);
  await alarms.update(REACH, { rule, spec: spec('Delay') });
  assert.deepEqual(await watched.look(3), ['5: task () is 2 s behind; the limit is 2 s.']);
  await alarms.update(REACH, { rule, spec: spec('Delay', { enabled: false }) });
  assert.deepEqual(await watched.look(9), []);
  await alarms.update(REACH, { rule, spec: spec('Delay') });
  await alarms.delete(REACH, rule);
  assert.deepEqual(await watched.look(9), []);
});

test('a rule that is edited, disabled or deleted while it is looked at tells nothing of what it was', async (t) => {
  const condition = { severity: 'Critical', durationMinutes: null, threshold: 2, ddl: null } as const;
  const now = spec('Delay', { conditions: [condition] });
  for (const [change, expected] of [
    ['edit', ['1: task () is 2 s behind; the limit is 2 s.']],
    ['disable', []],
    ['delete', []],
  ] as const) {
    const watched = await Watched.make(now);
    const { alarms } = watched.scene.created;
    const { rows } = await alarms.list(REACH, { task: watched.task, page: { pageNumber: 1, pageSize: 1 } });
    const [rule] = rows;
    assert.ok(rule !== undefined);
    watched.show({ lagMs: 2000 });
    const { store } = watched.scene;
    const transaction = store.transaction.bind(store);
    let looks = 0;
    // Between the look and what it comes to.
    const mock = t.mock.method(store, 'transaction', async (work: Parameters<typeof transaction>[0]) => {
      looks += 1;
      if (looks === 2) {
        mock.mock.restore();
        if (change === 'delete') await alarms.delete(REACH, rule.id);
        else await alarms.update(REACH, { rule: rule.id, spec: { ...now, enabled: change === 'edit' } });
      }
      return transaction(work);
    });
    assert.deepEqual(await watched.look(1), [], change);
    assert.equal(looks, 2);
    assert.deepEqual(await watched.look(3), expected, change);
  }
});

test('what was not told to the end is told again after a restart, until it was, to those who are told now', async () => {
  const watched = await Watched.make(spec('Delay'), spec('Heartbeat'));
  const { scene } = watched;
  const closed = Promise.withResolvers<'cut'>();
  const notifier = scene.notifier;
  scene.notifier = {
    notify: async (...told) => {
      await notifier.notify(...told);
      return closed.promise;
    },
    close: () => closed.resolve('cut'),
  };
  await scene.restart();
  watched.show({ lagMs: 2000 });
  assert.deepEqual(await watched.look(4), ['2: task () is 2 s behind; the limit is 2 s.']);
  await scene.restart();
  scene.notifier = notifier;
  await scene.restart();
  const first = scene.told[0];
  assert.deepEqual(scene.told, [first, first, first]);
  await scene.restart();
  assert.equal(scene.told.length, 3);
});

test('what was to be told is forgotten with an update of its rule', async () => {
  const watched = await Watched.make(spec('Delay'));
  const { scene } = watched;
  const closed = Promise.withResolvers<'cut'>();
  const notifier = scene.notifier;
  scene.notifier = { notify: () => closed.promise, close: () => closed.resolve('cut') };
  await scene.restart();
  watched.show({ lagMs: 2000 });
  await watched.look(4);
  const { rows } = await scene.created.alarms.list(REACH, { task: watched.task, page: { pageNumber: 1, pageSize: 1 } });
  await scene.created.alarms.update(REACH, { rule: rows[0]?.id ?? assert.fail(), spec: spec('Delay') });
  scene.notifier = notifier;
  await scene.restart();
  assert.deepEqual(scene.told, []);
});

test('a store that cannot be read is looked at again', async (t) => {
  const watched = await Watched.make(spec('Delay'));
  watched.show({ lagMs: 2000 });
  t.mock.method(watched.scene.store, 'transaction', () => Promise.reject(new Error('disk')), { times: 1 });
  assert.deepEqual(await watched.look(4), ['3: task () is 2 s behind; the limit is 2 s.']);
});
