import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { HostPolicy } from '../lib/host-policy.ts';
import { type Logger, silentLog } from '../lib/log.ts';
import type { AlarmReceivers } from '../tasks/alarm-rule.ts';
import type { AlarmRuleId, ProjectId, TaskId } from '../tasks/ids.ts';
import type { AlarmNotification } from '../tasks/notifier.ts';
import { WebhookNotifier } from './webhook-notifier.ts';

const NOTIFICATION: AlarmNotification = {
  kind: 'holds',
  rule: 9n as AlarmRuleId,
  task: 700001n as TaskId,
  taskName: 'rt',
  project: 10000n as ProjectId,
  metric: 'Delay',
  severity: 'Critical',
  value: 130,
  threshold: 60,
  message: 'rt (700001) is 130 s behind; the limit is 60 s.',
  at: Date.UTC(2026, 10, 26, 13),
};
const PAYLOAD = {
  state: 'alarm',
  ruleId: '9',
  taskId: '700001',
  taskName: 'rt',
  projectId: '10000',
  metric: 'Delay',
  severity: 'Critical',
  value: 130,
  threshold: 60,
  message: 'rt (700001) is 130 s behind; the limit is 60 s.',
  time: '2026-11-26T13:00:00.000Z',
};
const NOW = 1_700_000_000_123;
const DELIVERED = 'an alarm was delivered';
const LOST = 'an alarm was not delivered';
const TEXT =
  '[disync] Critical: rt (700001) is 130 s behind; the limit is 60 s. Project 10000, rule 9, 2026-11-26T13:00:00.000Z';
const NO_ROBOTS = { dingRobotUrl: null, feishuRobotUrl: null };
const OPEN: HostPolicy = { private: 'allow', loopback: 'allow' };

type Answer = { readonly status: number; readonly body?: string } | 'cut' | 'silence';

/** A server that answers as it is told, the last again and again; what it got. */
async function receiver(...answers: readonly Answer[]) {
  const got: { path: string; type: string | undefined; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      got.push({ path: request.url ?? '', type: request.headers['content-type'], body: JSON.parse(text) as unknown });
      const answer = answers[Math.min(got.length, answers.length) - 1] ?? { status: 200 };
      if (answer === 'cut') request.socket.destroy();
      else if (answer !== 'silence')
        response.writeHead(answer.status, { location: 'http://127.0.0.1:1/' }).end(answer.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-path` };
}

/** Tells these receivers, and gives what was logged once `lines` lines were. */
async function tell(
  receivers: readonly AlarmReceivers[],
  { lines = 1, hosts = OPEN, robotUrl = null as string | null } = {},
): Promise<{ facts: { receiver?: unknown }; event: string }[]> {
  const logged: { facts: { receiver?: unknown }; event: string }[] = [];
  const done = Promise.withResolvers<void>();
  const write = (facts: object, event: string) => {
    if (logged.push({ facts, event }) === lines) done.resolve();
  };
  const log: Logger = { error: write, warn: write, info: write, debug: write, child: () => log };
  const robots = { dingRobotUrl: robotUrl, feishuRobotUrl: robotUrl };
  const notifier = new WebhookNotifier({ hosts, robots, clock: { now: () => NOW }, log, firstWaitMs: 2, tryMs: 200 });
  after(() => notifier.close());
  assert.equal(await notifier.notify(NOTIFICATION, receivers), 'over');
  await done.promise;
  return logged;
}

const hook = (...values: readonly string[]): AlarmReceivers => ({ type: 'WebHookUrl', values });
const robot = (...values: readonly string[]): AlarmReceivers => ({ type: 'DingToken', values });
const facts = (type: string, shown: string, why?: string) => ({
  rule: 9n,
  task: 700001n,
  type,
  receiver: shown,
  ...(why === undefined ? {} : { why }),
});

test('a webhook is sent what there is to know, as JSON', async () => {
  const { got, url } = await receiver({ status: 204 });
  assert.deepEqual(await tell([hook(url)]), [{ facts: facts('WebHookUrl', '***path'), event: DELIVERED }]);
  assert.deepEqual(got, [{ path: '/hook/secret-path', type: 'application/json; charset=utf-8', body: PAYLOAD }]);
});

test('a robot is sent a text, by its token or by its whole URL', async () => {
  const { got, url } = await receiver({ status: 200, body: '{"errcode":0,"errmsg":"ok"}' });
  const base = url.replace('/hook/secret-path', '/robot/send?v=1');
  await tell([robot('0123456789abcdef', `${base}&access_token=whole`)], { lines: 2, robotUrl: base });
  const body = { msgtype: 'text', text: { content: TEXT } };
  const type = 'application/json; charset=utf-8';
  assert.deepEqual(
    got.toSorted((one, other) => one.path.localeCompare(other.path)),
    ['0123456789abcdef', 'whole'].map((token) => ({ path: `/robot/send?v=1&access_token=${token}`, type, body })),
  );
});

test('a robot that wants a signature gets it, and never what it is signed with', async () => {
  const { got, url } = await receiver({ status: 200, body: '{"errcode":0}' });
  const logged = await tell([robot('0123456789abcdef&secret=SECtest', `${url}?secret=SECtest&access_token=whole`)], {
    lines: 2,
    robotUrl: url,
  });
  // By another program: printf '1700000000123\nSECtest' | openssl dgst -sha256 -hmac SECtest -binary | base64
  const sign = encodeURIComponent('lrMq5E54T40t3FfGVjxdvoqIbXlWY6mzkZYiVoI6emk=');
  assert.deepEqual(
    got.map(({ path }) => path).toSorted(),
    ['0123456789abcdef', 'whole'].map(
      (token) => `/hook/secret-path?access_token=${token}&timestamp=1700000000123&sign=${sign}`,
    ),
  );
  assert.deepEqual(logged.map(({ facts: { receiver: shown } }) => String(shown)).toSorted(), ['***cdef', '***hole']);
});

test('a robot of Feishu is sent a text, signed where it wants that, by its token or its whole URL', async () => {
  const { got, url } = await receiver({ status: 200, body: '{"code":0,"msg":"success"}' });
  const feishu: AlarmReceivers = { type: 'FeishuToken', values: ['0123-4567&secret=SECtest', `${url}/0123-4567`] };
  await tell([feishu], { lines: 2, robotUrl: url });
  const text = { msg_type: 'text', content: { text: TEXT } };
  // printf '' | openssl dgst -sha256 -mac HMAC -macopt "key:$(printf '1700000000\nSECtest')" -binary | base64
  const signed = { timestamp: '1700000000', sign: 'G7XpBpG8NgG02fJOAhX6FRAObIljmFoxVReo8I62pEk=', ...text };
  const type = 'application/json; charset=utf-8';
  assert.deepEqual(
    got.toSorted((one, other) => JSON.stringify(one.body).length - JSON.stringify(other.body).length),
    [text, signed].map((body) => ({ path: '/hook/secret-path/0123-4567', type, body })),
  );
  const refused = await receiver({ status: 200, body: '{"code":19021,"msg":"sign match fail"}' });
  const [line] = await tell([{ type: 'FeishuToken', values: [refused.url] }]);
  assert.deepEqual(line, { facts: facts('FeishuToken', '***path', 'code 19021'), event: LOST });
});

test('what was on its way when it was closed is known to be cut', async () => {
  const { got, url } = await receiver('silence');
  const notifier = new WebhookNotifier({ hosts: OPEN, robots: NO_ROBOTS, clock: { now: () => NOW }, log: silentLog });
  const told = notifier.notify(NOTIFICATION, [hook(url)]);
  while (got.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  notifier.close();
  assert.equal(await told, 'cut');
});

test('what passes is tried again', async () => {
  const { got, url } = await receiver({ status: 503 }, 'cut', { status: 429 }, { status: 200 });
  assert.deepEqual(await tell([hook(url)]), [{ facts: facts('WebHookUrl', '***path'), event: DELIVERED }]);
  assert.deepEqual(
    got.map(({ body }) => body),
    [PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD],
  );
});

for (const [what, answer, tries, why] of [
  ['is away', 'cut', 4, 'ECONNRESET'],
  ['says nothing', 'silence', 4, 'ABORT_ERR'],
  ['is broken', { status: 500 }, 4, 'HTTP 500'],
  ['refuses', { status: 403 }, 1, 'HTTP 403'],
  ['leads elsewhere', { status: 302 }, 1, 'HTTP 302'],
] as const)
  test(`a webhook that ${what} is tried ${tries === 1 ? 'once' : `${tries} times`}, and the loss is logged without its address`, async () => {
    const { got, url } = await receiver(answer);
    assert.deepEqual(await tell([hook(url)]), [{ facts: facts('WebHookUrl', '***path', why), event: LOST }]);
    assert.equal(got.length, tries);
  });

test('a robot that does not like what it got says so in its answer', async () => {
  const { got, url } = await receiver({ status: 200, body: '{"errcode":310000,"errmsg":"keywords not in content"}' });
  const expected = [{ facts: facts('DingToken', '***path', 'errcode 310000'), event: LOST }];
  assert.deepEqual(await tell([robot(url)]), expected);
  assert.equal(got.length, 1);
});

test('a token is told nowhere without the setting', async () => {
  const [line] = await tell([robot('0123456789abcdef')]);
  assert.deepEqual(line, {
    facts: facts('DingToken', '***cdef'),
    event: 'an alarm was not delivered: tokens of robots need the setting dingRobotUrl',
  });
});

test('webhooks obey the host policy', async () => {
  const { got, url } = await receiver();
  const logged = await tell([hook(url)], { hosts: { private: 'allow', loopback: 'deny' } });
  assert.deepEqual(logged, [{ facts: facts('WebHookUrl', '***path', 'Network.HostRefused'), event: LOST }]);
  const metadata = await tell([hook('http://169.254.169.254/latest/meta-data')]);
  assert.deepEqual(metadata, [{ facts: facts('WebHookUrl', '***data', 'Network.HostRefused'), event: LOST }]);
  assert.deepEqual(got, []);
});

test('mails are not delivered, which is said once of a rule', async () => {
  const { url } = await receiver();
  const uid: AlarmReceivers = { type: 'AliyunUid', values: ['1', '2'] };
  const logged = await tell([uid, uid, hook(url)], { lines: 2 });
  assert.deepEqual(
    logged.map(({ event }) => event),
    ['Mail, Phone and Sms are not delivered: give the alarm rule a webhook or a robot', DELIVERED],
  );
});

test('one that says nothing holds up no other', async () => {
  const [silent, other] = [await receiver('silence'), await receiver()];
  const [first] = await tell([hook(silent.url), hook(other.url)]);
  assert.equal(first?.event, DELIVERED);
});
