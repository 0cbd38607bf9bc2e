import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { sinks, sources } from '../src/connectors/index.ts';
import type { HostPolicy } from '../src/lib/host-policy.ts';
import type { Json } from '../src/lib/json-value.ts';
import { ScriptedBroker } from './support/scripted-broker.ts';

const OPEN: HostPolicy = { private: 'allow', loopback: 'allow' };
const CLOSED: HostPolicy = { private: 'deny', loopback: 'deny' };
/** For one question. */
const soon = () => AbortSignal.timeout(20_000);

/** Asks the server behind a data source of each kind. */
const ASK: Readonly<Record<string, (host: string, port: number, hosts: HostPolicy) => Promise<unknown>>> = {
  mysql: async (host, port, hosts) => {
    const connector = sources.get('mysql');
    const settings = connector?.parseSettings({ host, port, username: 'u', password: 'p' }, hosts) ?? null;
    return connector?.describe({ settings, tables: [], load: false, withoutKey: true, signal: soon() });
  },
  'mysql over TLS': async (host, port, hosts) => {
    const connector = sources.get('mysql');
    const content = { host, port, username: 'u', password: 'p', ssl: { mode: 'required' } };
    const settings = connector?.parseSettings(content, hosts) ?? null;
    return connector?.describe({ settings, tables: [], load: false, withoutKey: true, signal: soon() });
  },
  holo: (host, port, hosts) => {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return planned('holo', { endpoint: address, database: 'd', accessId: 'u', accessKey: 'p' }, hosts);
  },
  kafka: (host, port, hosts) =>
    planned('kafka', { address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }, hosts),
  odps: (host, port, hosts) => {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const content = { endpoint: `http://${address}/api`, project: 'p', accessId: 'u', accessKey: 'p' };
    // It tries again for longer than a test has.
    return planned('odps', content, hosts, AbortSignal.timeout(500));
  },
};

async function planned(type: string, content: Json, hosts: HostPolicy, signal = soon()): Promise<unknown> {
  const connector = sinks.get(type);
  const settings = connector?.parseSettings(content, hosts) ?? null;
  const options = connector?.parseOptions({}) ?? null;
  return connector?.planTargets({ settings, options, sourceName: 's', tables: [], signal });
}

void describe('every connection of a data source', () => {
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.destroy();
  });
  let connections = 0;
  let port = 0;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  for (const [kind, ask] of Object.entries(ASK)) {
    void it(`of ${kind} obeys the host policy`, async () => {
      connections = 0;
      const refused = { code: 'Network.HostRefused', kind: 'fatal' };
      for (const host of ['169.254.169.254', '2852039166', 'fd00:ec2::254', '::ffff:a9fe:a9fe', '0'])
        await assert.rejects(ask(host, port, OPEN), refused, host);
      for (const host of ['127.0.0.1', 'localhost', '0x7f000001'])
        await assert.rejects(ask(host, port, CLOSED), refused);
      assert.equal(connections, 0);
      await assert.rejects(ask('127.1', port, OPEN), (error: { code: string }) => error.code !== refused.code);
      assert.ok(connections > 0);
    });
  }

  void it('also to a broker that Kafka itself names', async () => {
    const broker = await ScriptedBroker.start(1);
    broker.host = '169.254.169.254';
    try {
      await assert.rejects(ASK['kafka']?.('127.0.0.1', broker.port, OPEN) ?? Promise.resolve(), {
        code: 'Network.HostRefused',
      });
    } finally {
      broker.stop();
    }
  });
});
