import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { KAFKA_CERTIFICATES } from '../../../../scripts/servers/kafka-certificates.ts';
import { KAFKA_USER } from '../../../../scripts/servers/kafka-security.ts';
import type { KafkaServer } from '../../../../scripts/servers/kafka.ts';
import { ADMIN_PASSWORD } from '../../../../scripts/servers/lifecycle.ts';
import {
  batchOf,
  newTopic,
  openCluster,
  openProducer,
  recordsSeen,
} from '../../../../test/support/kafka-protocol-under-test.ts';
import { privateKafka, sharedKafka } from '../../../../test/support/kafka-under-test.ts';
import type { KafkaSettings } from '../settings.ts';

type Sasl = NonNullable<KafkaSettings['sasl']>;
type Ssl = NonNullable<KafkaSettings['ssl']>;

const LOGIN: Sasl = { mechanism: 'PLAIN', username: KAFKA_USER, password: ADMIN_PASSWORD };
const PROVEN: Ssl = { mode: 'verify-identity', ca: KAFKA_CERTIFICATES.authority, ...KAFKA_CERTIFICATES.client };
const { ca: _, ...WITHOUT_AUTHORITY } = PROVEN;

void describe('a login that is cut off', () => {
  void it('is an outage, and no refusal', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { signal } = new AbortController();
    try {
      const outage = { code: 'Sink.Unavailable', kind: 'transient' };
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-512'] as const) {
        await assert.rejects(openCluster(port, signal, { sasl: { ...LOGIN, mechanism } }), outage);
      }
      await assert.rejects(openCluster(port, signal, { ssl: PROVEN }), outage);
      await assert.rejects(openCluster(port, signal), outage);
    } finally {
      server.close();
    }
  });
});

void describe('a broker that wants TLS on both sides and a login', () => {
  let kafka: KafkaServer;
  const end = new AbortController();

  before(async () => {
    const properties = { 'connections.max.reauth.ms': '1000' };
    kafka = await privateKafka({ security: { tls: 'mutual', sasl: true }, properties });
  });
  after(async () => {
    end.abort();
    await kafka.stop();
  });

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    void it(`lets us in by ${mechanism}`, async () => {
      const cluster = await openCluster(kafka.port, end.signal, { ssl: PROVEN, sasl: { ...LOGIN, mechanism } });
      const topic = await newTopic(cluster, 1);
      const producer = await openProducer(cluster, 'transactional', topic);
      await producer.send([batchOf(topic, 0, [['a', mechanism]])]);
      await producer.endTransaction('commit');
      assert.deepEqual(await recordsSeen(kafka, topic, 1), [`0 a=${mechanism}`]);
    });
  }

  void it('gets a new login as often as it wants one, while we write', async () => {
    const cluster = await openCluster(kafka.port, end.signal, { ssl: PROVEN, sasl: LOGIN, requestTimeoutMs: 3000 });
    const topic = await newTopic(cluster, 1);
    const producer = await openProducer(cluster, 'transactional', topic);
    const written: string[] = [];
    for (const until = performance.now() + 3500; performance.now() < until; ) {
      await producer.send([batchOf(topic, 0, [['a', `${written.length}`]])]);
      await producer.endTransaction('commit');
      written.push(`0 a=${written.length}`);
    }
    assert.deepEqual(await recordsSeen(kafka, topic, written.length), written);
  });

  void it('is asked for no proof, or for none of its name, when the settings say so', async () => {
    for (const ssl of [
      { ...WITHOUT_AUTHORITY, mode: 'required' as const },
      { ...PROVEN, mode: 'verify-ca' as const },
    ]) {
      const cluster = await openCluster(kafka.port, end.signal, { ssl, sasl: LOGIN });
      assert.equal(cluster.facts.brokers.length, 1);
    }
  });

  void it('is told from one that cannot be reached when it or we are refused, without a secret in the message', async () => {
    const password = 'not-the-password';
    const refused: readonly (readonly [Partial<KafkaSettings>, string])[] = [
      [{ ssl: PROVEN, sasl: { ...LOGIN, password } }, 'Sink.Denied'],
      [{ ssl: PROVEN, sasl: { ...LOGIN, mechanism: 'SCRAM-SHA-256', password } }, 'Sink.Denied'],
      [{ ssl: PROVEN, sasl: { ...LOGIN, mechanism: 'SCRAM-SHA-512', username: 'nobody' } }, 'Sink.Denied'],
      [{ ssl: WITHOUT_AUTHORITY, sasl: LOGIN }, 'Kafka.TlsFailed'],
      [{ ssl: { mode: 'verify-ca', ca: KAFKA_CERTIFICATES.authority }, sasl: LOGIN }, 'Kafka.TlsFailed'],
      [{ ssl: { ...PROVEN, ca: 'not a PEM' }, sasl: LOGIN }, 'Kafka.TlsFailed'],
      [{}, 'Kafka.TlsFailed'],
    ];
    for (const [settings, code] of refused) {
      await assert.rejects(openCluster(kafka.port, end.signal, settings), (error: Error) => {
        const { code: found, kind } = error as unknown as { code: string; kind: string };
        assert.deepEqual(
          { settings: Object.keys(settings), found, kind },
          {
            settings: Object.keys(settings),
            found: code,
            kind: 'fatal',
          },
        );
        assert.ok(!error.message.includes(password) && !error.message.includes(ADMIN_PASSWORD));
        return true;
      });
    }
  });

  void it('is not looked for at one that wants neither', async () => {
    const { port } = await sharedKafka();
    // It just hangs up, as a broker does that is stopped.
    const hangsUp = { code: 'Sink.Unavailable', message: /verify the broker supports TLS/ };
    await assert.rejects(openCluster(port, end.signal, { ssl: PROVEN }), hangsUp);
    await assert.rejects(openCluster(port, end.signal, { sasl: LOGIN }), { code: 'Sink.Denied', kind: 'fatal' });
  });
});
