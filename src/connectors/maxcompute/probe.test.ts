import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { doubleContent, PROJECT, startDouble } from '../../../test/support/maxcompute-under-test.ts';
import type { MaxComputeDouble } from '../../../test/support/maxcompute/double.ts';
import { DoubleTable } from '../../../test/support/maxcompute/tables.ts';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import { maxComputeConnector } from './connector.ts';
import { parseColumnType } from './protocol/column-type.ts';

let double: MaxComputeDouble;
const { signal } = new AbortController();

before(async () => {
  double = await startDouble();
});
after(() => double.stop());

const settings = (changes: JsonObject = {}, hosts = DEFAULT_HOST_POLICY) =>
  maxComputeConnector.parseSettings({ ...doubleContent(double), ...changes }, hosts);

async function outcomes(changes: JsonObject = {}, hosts = DEFAULT_HOST_POLICY): Promise<string[]> {
  const stages: string[] = [];
  for await (const { stage, outcome, code } of maxComputeConnector.probe({
    settings: settings(changes, hosts),
    signal,
  }))
    stages.push(`${stage}: ${outcome}${code === null ? '' : ` ${code}`}`);
  return stages;
}

void test('a project that can be reached passes from the name to the tunnel', async () => {
  assert.deepEqual(await outcomes(), [
    'name resolution: passed',
    'TCP: passed',
    'TLS: skipped',
    'login: passed',
    'tunnel: passed',
  ]);
});

void test('a wrong key, a project that is not there and a tunnel that nobody listens at fail at their stages', async () => {
  assert.equal((await outcomes({ accessKey: 'wrong' })).at(-1), 'login: failed Sink.Denied');
  assert.equal((await outcomes({ project: 'other' })).at(-1), 'login: failed Sink.Denied');
  assert.match((await outcomes({ tunnelEndpoint: 'http://127.0.0.1:1' })).at(-1) ?? '', /^tunnel: failed/);
  assert.match((await outcomes({ endpoint: 'http://127.0.0.1:1/api' })).at(-1) ?? '', /^TCP: failed/);
});

void test('a host that may not be connected to is refused, the tunnel’s too', async () => {
  const noLoopback = { private: 'allow', loopback: 'deny' } as const;
  assert.deepEqual(await outcomes({}, noLoopback), ['name resolution: failed Network.HostRefused']);
  assert.equal(
    (await outcomes({ tunnelEndpoint: 'http://169.254.169.254' })).at(-1),
    'tunnel: failed Network.HostRefused',
  );
});

void test('the tables of a project are listed with their columns, by name, a page at a time', async () => {
  const columns = [
    { name: 'id', type: parseColumnType('bigint') },
    { name: 'note', type: parseColumnType('varchar(20)') },
  ];
  for (const name of ['c', 'a', 'b'])
    double.add(`projects/${PROJECT}/tables/${name}`, new DoubleTable(name, { columns }));
  const page = await maxComputeConnector.readCatalogue({ settings: settings(), offset: 1, limit: 1, signal });
  assert.deepEqual(page, {
    schemas: [{ database: PROJECT, schema: '' }],
    tables: [
      {
        database: PROJECT,
        schema: '',
        table: 'b',
        columns: [
          { name: 'id', type: 'bigint' },
          { name: 'note', type: 'varchar(20)' },
        ],
      },
    ],
    total: 3,
  });
});
