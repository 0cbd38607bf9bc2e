import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { sinks, sources } from '../src/connectors/index.ts';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import type { Json } from '../src/lib/json-value.ts';
import type { SinkConnector, SourceConnector } from '../src/pipeline/connector.ts';

const ACCOUNT = { username: 'u', password: 'p', database: 'd' };
const PAGE = { offset: 0, limit: 10 };

type Ask = (settings: Json, signal: AbortSignal) => Promise<unknown>;

function asksOf(source: SourceConnector): Readonly<Record<string, Ask>> {
  return {
    describe: (settings, signal) => source.describe({ settings, tables: [], load: false, withoutKey: true, signal }),
    listTables: (settings, signal) => source.listTables({ settings, signal }),
    examine: (settings, signal) => source.examine({ settings, databases: [], signal }),
    readCatalogue: (settings, signal) => source.readCatalogue({ settings, ...PAGE, signal }),
  };
}

function asksOfSink(sink: SinkConnector): Readonly<Record<string, Ask>> {
  const options = sink.parseOptions({});
  return {
    planTargets: (settings, signal) => sink.planTargets({ settings, options, sourceName: 's', tables: [], signal }),
    readCatalogue: (settings, signal) => sink.readCatalogue({ settings, ...PAGE, signal }),
  };
}

void describe('a caller that gives up while a server that accepts says nothing is not kept waiting', () => {
  const held = new Set<Socket>();
  const server = createServer((socket) => {
    held.add(socket.on('error', () => {}));
    socket.resume();
    came.resolve();
  });
  let came = Promise.withResolvers<void>();
  let port = 0;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });

  async function given(
    connector: SourceConnector | SinkConnector | undefined,
    content: Json,
    asks: Readonly<Record<string, Ask>>,
  ) {
    for (const [name, ask] of Object.entries(asks)) {
      came = Promise.withResolvers<void>();
      const caller = new AbortController();
      const asking = ask(connector?.parseSettings(content, DEFAULT_HOST_POLICY) ?? null, caller.signal);
      asking.catch(() => {});
      await came.promise;
      const begun = performance.now();
      caller.abort(new Error('enough'));
      await assert.rejects(asking, name);
      assert.ok(performance.now() - begun < 1000, name);
    }
  }

  void it('of mysql', async () => {
    const connector = sources.get('mysql');
    assert.ok(connector !== undefined);
    await given(connector, { host: '127.0.0.1', port, ...ACCOUNT }, asksOf(connector));
  });

  void it('of holo', async () => {
    const connector = sinks.get('holo');
    assert.ok(connector !== undefined);
    await given(connector, { endpoint: `127.0.0.1:${port}`, ...ACCOUNT }, asksOfSink(connector));
  });

  void it('of odps', async () => {
    const connector = sinks.get('odps');
    assert.ok(connector !== undefined);
    const content = { endpoint: `http://127.0.0.1:${port}/api`, project: 'p', accessId: 'u', accessKey: 'p' };
    await given(connector, content, asksOfSink(connector));
  });

  void it('of kafka', async () => {
    const connector = sinks.get('kafka');
    assert.ok(connector !== undefined);
    await given(connector, { address: `127.0.0.1:${port}` }, asksOfSink(connector));
  });
});
