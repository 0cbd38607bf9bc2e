import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaConnector } from '../connectors/kafka/connector.ts';
import { mysqlConnector } from '../connectors/mysql/connector.ts';
import { readSettings } from './connections.ts';

const CONNECTORS = {
  sources: new Map([['mysql', mysqlConnector]]),
  sinks: new Map([['kafka', kafkaConnector]]),
};
const HOSTS = { private: 'allow', loopback: 'deny' } as const;
const INSTANCES = { 'alikafka-1': 'kafka.example:9093', 'rm-1': 'mysql.example:3307' };

function settingsOf(type: string, content: object): object {
  const surroundings = { connectors: CONNECTORS, instances: INSTANCES, hosts: HOSTS };
  const { settings } = readSettings(surroundings, type, JSON.stringify(content));
  const { hosts, ...others } = settings as { hosts?: object };
  assert.deepEqual(hosts, HOSTS);
  return others;
}

void test('an instance in place of an address is looked up, of every type', () => {
  const account = { username: 'u', password: 'p', database: 'd' };
  const { host, port } = settingsOf('mysql', { instanceName: 'rm-1', ...account }) as { host: string; port: number };
  assert.deepEqual([host, port], ['mysql.example', 3307]);
  assert.deepEqual(settingsOf('kafka', { instanceId: 'alikafka-1' }), {
    brokers: [{ host: 'kafka.example', port: 9093 }],
    sasl: null,
    ssl: null,
  });
});

void test('an instance beside an address is not looked up', () => {
  assert.deepEqual(settingsOf('kafka', { instanceId: 'unknown', address: 'a:1' }), {
    brokers: [{ host: 'a', port: 1 }],
    sasl: null,
    ssl: null,
  });
  assert.throws(() => settingsOf('kafka', { instanceId: 'unknown' }), { code: 'DataSource.UnknownInstance' });
});
