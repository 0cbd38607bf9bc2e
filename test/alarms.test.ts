import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import { silentLog } from '../src/lib/log.ts';
import { WebhookNotifier } from '../src/notify/webhook-notifier.ts';
import { REACH, Scene } from './support/task-scene.ts';

const MINUTE = 60_000;

test('a task that is late reaches a webhook that was away, once within the mute interval, and again after it', async () => {
  const got: string[] = [];
  let tries = 0;
  let arrived = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      tries += 1;
      if (tries === 1) return response.writeHead(503).end();
      got.push((JSON.parse(text) as { message: string }).message);
      response.end();
      arrived.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());

  const scene = await Scene.make();
  scene.notifier = new WebhookNotifier({
    hosts: DEFAULT_HOST_POLICY,
    robots: { dingRobotUrl: null, feishuRobotUrl: null },
    clock: scene.clock,
    log: silentLog,
    firstWaitMs: 2,
  });
  await scene.restart();
  const task = await scene.running(['a']);
  await scene.created.alarms.create(REACH, {
    task,
    spec: {
      description: null,
      enabled: true,
      metric: 'Delay',
      conditions: [{ severity: 'Warning', durationMinutes: 1, threshold: 60, ddl: null }],
      muteMinutes: 5,
      channels: [{ severity: 'Warning', channels: ['Webhook'] }],
      receivers: [{ type: 'WebHookUrl', values: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`] }],
    },
  });
  const look = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      scene.clock.time += MINUTE;
      await scene.created.alarmWatch.look();
    }
  };
  const late = (seconds: number) => `task (${task}) is ${seconds} s behind; the limit is 60 s.`;
  scene.engine.show(String(task), { lagMs: 90_000 });
  await look(2);
  await arrived.promise;
  assert.deepEqual([got, tries], [[late(90)], 2]);
  arrived = Promise.withResolvers<void>();
  scene.engine.show(String(task), { lagMs: 400_000 });
  await look(4); // within the mute interval
  scene.engine.show(String(task), { lagMs: 450_000 });
  await look(1);
  await arrived.promise;
  assert.deepEqual([got, tries], [[late(90), late(450)], 3]);
});
