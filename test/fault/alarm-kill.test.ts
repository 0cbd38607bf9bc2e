import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import { Service } from '../support/service.ts';
import { openEnds, TaskUnderTest } from '../support/task-under-test.ts';

/** How often the webhook is told, over both lives of the service. */
const POINTS: readonly { readonly point: CrashPoint; readonly told: number }[] = [
  { point: 'before alarm saved', told: 1 },
  { point: 'after alarm saved', told: 1 },
  { point: 'before alarm told', told: 2 },
  { point: 'after alarm told', told: 1 },
];
/** Longer than it takes from one look to the next. */
const LOOK_MS = 15_000;

void describe('an alarm', { concurrency: true }, () => {
  for (const { point, told } of POINTS)
    void it(`is told ${told === 1 ? 'once' : 'twice'}, and never not at all, by a service that is killed ${point}`, () =>
      tellAcross(point, told));
});

async function tellAcross(point: CrashPoint, times: number): Promise<void> {
  const got: string[] = [];
  const webhook = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      got.push((JSON.parse(text) as { metric: string }).metric);
      response.end();
    });
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  const [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
  const until = async (what: () => boolean) => {
    for (const deadline = Date.now() + LOOK_MS; !what(); ) {
      if (Date.now() > deadline) throw new Error(`nothing came of "${point}": ${got.join()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  try {
    await ends.mysql.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const task = new TaskUnderTest(service, ends);
    await task.registerDataSources();
    await task.create({ table: ['t'] });
    await task.do('DeployDISyncTask');
    await task.do('StartDISyncInstance', { StartParam: '{"ddlMarkMap":{"ADDCOLUMN":"CRITICAL"}}' });
    await task.untilStreaming('t');
    await ends.mysql.query('ALTER TABLE t ADD COLUMN n INT');
    await task.until(({ Status }) => Status === 'PAUSE');
    await service.kill();
    await service.restart({ crashPoint: point });
    const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
    await service.api.call(
      'CreateDIAlarmRule',
      { DIJobId: task.file, MetricType: 'Heartbeat', Enabled: 'true' },
      {
        TriggerConditions: '[{"Severity":"Critical"}]',
        NotificationSettings: JSON.stringify({
          InhibitionInterval: 60,
          NotificationChannels: [{ Severity: 'Critical', Channels: ['Webhook'] }],
          NotificationReceivers: [{ ReceiverType: 'WebHookUrl', ReceiverValues: [url] }],
        }),
      },
    );
    await until(() => service.isOver);
    await service.restart();
    await until(() => got.length >= times);
    // A look more tells nothing more.
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    assert.deepEqual(got, Array<string>(times).fill('Heartbeat'));
  } finally {
    await service.dispose();
    await ends.close();
    webhook.close();
    webhook.closeAllConnections();
  }
}
