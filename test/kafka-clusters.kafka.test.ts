import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KAFKA_CERTIFICATES } from '../scripts/servers/kafka-certificates.ts';
import { javaCommand, propertiesFile, SMALL_JVM } from '../scripts/servers/kafka-java.ts';
import { KAFKA_USER, oneLine } from '../scripts/servers/kafka-security.ts';
import { installKafka, type KafkaServer } from '../scripts/servers/kafka.ts';
import { readTopic, writeTopic } from '../scripts/servers/kafka-reader.ts';
import { createTopic, leaderOf, limitWrites } from './support/kafka-tools.ts';
import { privateKafka } from './support/kafka-under-test.ts';
import { kcat } from '../scripts/servers/kcat.ts';
import { runProgram } from '../scripts/servers/run-program.ts';
import { SELF_SIGNED } from './support/self-signed.ts';

const { authority, client } = KAFKA_CERTIFICATES;

describe('three brokers', () => {
  it('elect another leader when one is killed, and take it back', async () => {
    const kafka = await privateKafka({ brokers: 3 });
    after(() => kafka.stop());
    await createTopic(kafka, 'led', { replication: 3, config: { 'min.insync.replicas': '2' } });
    await writeTopic(kafka, 'led', ['before'], { transactionalId: 'writer' });
    const first = await leaderOf(kafka, 'led');
    const leader = kafka.brokers.find(({ id }) => id === first);
    const other = kafka.brokers.find(({ id }) => id !== first);
    if (leader === undefined || other === undefined) throw new Error('a broker is missing');

    await leader.kill();
    while ([first, -1].includes(await leaderOf(other, 'led'))) await sleep(100);
    await writeTopic(other, 'led', ['between'], { transactionalId: 'writer' });

    await leader.restart();
    await writeTopic(leader, 'led', ['after'], { transactionalId: 'writer' });
    const records = await readTopic(leader, { topic: 'led' });
    assert.deepEqual(
      records.map(({ value }) => value?.toString()),
      ['before', 'between', 'after'],
    );
  });
});

// Asked by Java, as kcat's SCRAM is refused by brokers that compare nonces.
describe('a secured broker', () => {
  let kafka: KafkaServer;
  before(async () => {
    kafka = await privateKafka({ security: { sasl: true, tls: 'server' } });
    await createTopic(kafka, 'guarded');
  });
  after(() => kafka.stop());

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    it(`lets its user in by ${mechanism}, and nobody with another password`, async () => {
      assert.equal(await list(kafka, { ...trust(authority), ...login(mechanism, kafka.password) }), 'guarded');
      await assert.rejects(list(kafka, { ...trust(authority), ...login(mechanism, 'guess') }), /Authentication failed/);
    });
  }

  it('is trusted through its authority alone', async () => {
    const settings = { ...trust(SELF_SIGNED.cert), ...login('PLAIN', kafka.password) };
    await assert.rejects(list(kafka, settings), /SslAuthenticationException/);
  });
});

describe('a broker with a limit', () => {
  it('makes clients wait', async () => {
    const kafka = await privateKafka();
    after(() => kafka.stop());
    await createTopic(kafka, 'slow');
    // More than is free within the ten seconds that the broker looks at; each in a request of its own.
    const write = (): Promise<Buffer> =>
      kcat(kafka.adminPort, ['-P', '-t', 'slow', '-X', 'batch.num.messages=1'], `${'x'.repeat(10_000)}\n`.repeat(14));
    const free = await timed(write);
    await limitWrites(kafka, 10_000);
    const limited = await timed(write);
    assert.ok(limited > free + 1000, `${limited} ms with the limit, ${free} ms without`);
    await limitWrites(kafka, null);
    assert.ok((await timed(write)) < limited);
  });
});

describe('a broker that wants certificates', () => {
  it('lets in who shows one of its authority', async () => {
    const kafka = await privateKafka({ security: { tls: 'mutual' } });
    after(() => kafka.stop());
    await createTopic(kafka, 'guarded');
    const settings = { 'security.protocol': 'SSL', ...trust(authority) };
    const shown = {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': oneLine(client.cert),
      'ssl.keystore.key': oneLine(client.key),
    };
    assert.equal(await list(kafka, { ...settings, ...shown }), 'guarded');
    await assert.rejects(list(kafka, settings), /SslAuthenticationException/);
  });
});

describe('an old broker', () => {
  it('lets its user in by a password that a ZooKeeper keeps', async () => {
    const kafka = await privateKafka({ version: '2.6.3', security: { sasl: true } });
    after(() => kafka.stop());
    await createTopic(kafka, 'guarded');
    const settings = { ...login('SCRAM-SHA-512', kafka.password), 'security.protocol': 'SASL_PLAINTEXT' };
    assert.equal(await list(kafka, settings), 'guarded');
  });

  it('is not started for what it cannot do', async () => {
    await assert.rejects(privateKafka({ version: '2.6.3', security: { tls: 'server' } }), /reads no PEM files/);
    await assert.rejects(privateKafka({ version: '3.3.2', security: { sasl: true } }), /keeps no SCRAM users/);
  });
});

/** The topics, asked at the port for clients. */
async function list(kafka: KafkaServer, settings: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'disync-client-'));
  chmodSync(folder, 0o755);
  const config = propertiesFile(folder, 'client.properties', settings);
  const [java, ...tool] = javaCommand(await installKafka(), SMALL_JVM, 'org.apache.kafka.tools.TopicCommand');
  const where = ['--bootstrap-server', `127.0.0.1:${kafka.port}`, '--command-config', config];
  try {
    return (await runProgram(java, [...tool, ...where, '--list'])).toString('utf8').trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function trust(certificate: string): Record<string, string> {
  return { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': oneLine(certificate) };
}

function login(mechanism: string, password: string): Record<string, string> {
  const [scheme = ''] = mechanism.split('-');
  const name = scheme === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
  return {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `org.apache.kafka.common.security.${name} required username="${KAFKA_USER}" password="${password}";`,
  };
}
