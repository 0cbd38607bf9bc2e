import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import type { Json } from '../../lib/json-value.ts';
import { DEFAULT_OPTIONS, intervalSeconds, parseMaxComputeOptions } from './options.ts';
import { addressOf, asMaxComputeSettings, parseMaxComputeSettings } from './settings.ts';
import { targetOf } from './target-names.ts';

const CONTENT = { endpoint: 'https://service.example.com/api/', project: 'shop', accessId: 'id', accessKey: 'key' };
const read = (content: Json) => parseMaxComputeSettings(content, DEFAULT_HOST_POLICY);

void test('a content is an endpoint, a project and a key; the rest may be left out, and nothing else is kept', () => {
  const settings = read({ ...CONTENT, securityToken: '', other: 1 });
  assert.deepEqual(settings, {
    endpoint: 'https://service.example.com/api',
    project: 'shop',
    accessId: 'id',
    accessKey: 'key',
    hosts: DEFAULT_HOST_POLICY,
  });
  const all = read({ ...CONTENT, tunnelEndpoint: 'http://dt:81', securityToken: 't', region: 'cn-hangzhou' });
  assert.deepEqual(asMaxComputeSettings(JSON.parse(JSON.stringify(all)) as Json), all);
  assert.deepEqual(addressOf(settings.endpoint), { host: 'service.example.com', port: 443, tls: true });
  assert.deepEqual(addressOf('http://[::1]:8080/api'), { host: '::1', port: 8080, tls: false });
});

for (const [content, parameter] of [
  [null, 'Content'],
  [[], 'Content'],
  [{ ...CONTENT, endpoint: 'service.example.com' }, 'Content.endpoint'],
  [{ ...CONTENT, endpoint: 'ftp://service.example.com' }, 'Content.endpoint'],
  [{ ...CONTENT, endpoint: 'https://a:b@service.example.com' }, 'Content.endpoint'],
  [{ ...CONTENT, endpoint: 'https://service.example.com/api?x=1' }, 'Content.endpoint'],
  [{ ...CONTENT, tunnelEndpoint: '//dt' }, 'Content.tunnelEndpoint'],
  [{ ...CONTENT, project: '../other' }, 'Content.project'],
  [{ ...CONTENT, accessId: '' }, 'Content.accessId'],
  [{ ...CONTENT, accessKey: 7 }, 'Content.accessKey'],
] as const)
  void test(`a content that is wrong says where, and never the key: ${parameter} of ${JSON.stringify(content)}`, () => {
    assert.throws(
      () => read(content as Json),
      (error: Error & { parameter?: string }) => error.parameter === parameter && !error.message.includes('key'),
    );
  });

void test('options that are not given have their defaults, and those of others are ignored', () => {
  assert.deepEqual(parseMaxComputeOptions(null), DEFAULT_OPTIONS);
  assert.deepEqual(parseMaxComputeOptions({ datasource: 'x', buckets: 4 }), { ...DEFAULT_OPTIONS, buckets: 4 });
  const seconds = (options: Json) => intervalSeconds(parseMaxComputeOptions(options));
  assert.deepEqual([seconds({}), seconds({ tableType: 'log' }), seconds({ commitIntervalSeconds: 5 })], [60, 10, 5]);
});

void test('options that are wrong are all named', () => {
  assert.throws(
    () =>
      parseMaxComputeOptions({
        tableType: 'hudi',
        partition: 'pt=${nonsense}',
        table: '${srcTable}',
        timeZone: 'Moon/Base',
        commitIntervalSeconds: 0,
      }),
    (error: Error & { parameter?: string }) => {
      assert.equal(error.parameter, 'tableType, table, partition, commitIntervalSeconds, timeZone');
      assert.match(error.message, /\$\{srcTable\} is not known/);
      return true;
    },
  );
});

void test('a target is named after database and table, and a log is called so; three names have a schema', () => {
  const name = (options: Json) =>
    targetOf({ database: 'shop', table: 'orders' }, 'my', parseMaxComputeOptions(options));
  assert.deepEqual(name({}), { schema: '', table: 'shop_orders' });
  assert.deepEqual(name({ tableType: 'log' }), { schema: '', table: 'shop_orders_log' });
  assert.deepEqual(name({ schema: 'ods_${srcDatabaseName}' }), { schema: 'ods_shop', table: 'orders' });
  assert.deepEqual(name({ table: 'a_${srcDatasourceName}_${table}' }), { schema: '', table: 'a_my_orders' });
});
