import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import type { Json } from '../../lib/json-value.ts';
import { kafkaConnector } from './connector.ts';
import { propertyWarnings } from './client-properties.ts';
import { DEFAULT_OPTIONS, parseKafkaOptions } from './options.ts';
import { asKafkaSettings, parseKafkaSettings } from './settings.ts';

const PEM = '-----BEGIN CERTIFICATE-----';
const LOGIN = { address: 'a:1', username: 'u', password: 'p' };

void describe('the settings of a Kafka data source', () => {
  void it('come as a list of brokers, with what protects the way to them', () => {
    const cases: readonly (readonly [Json, object])[] = [
      [{ address: 'a:9093' }, { brokers: [{ host: 'a', port: 9093 }], sasl: null, ssl: null }],
      [
        { address: ' a , b.example:1,[::1]:2 ', securityProtocol: 'plaintext', username: 'unused' },
        {
          brokers: [
            { host: 'a', port: 9092 },
            { host: 'b.example', port: 1 },
            { host: '::1', port: 2 },
          ],
          sasl: null,
          ssl: null,
        },
      ],
      [
        {
          ...LOGIN,
          securityProtocol: 'SASL_SSL',
          saslMechanism: 'scram-sha-512',
          ssl: { ca: PEM, key: PEM, cert: PEM },
        },
        {
          brokers: [{ host: 'a', port: 1 }],
          sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' },
          ssl: { mode: 'verify-identity', ca: PEM, key: PEM, cert: PEM },
        },
      ],
      [
        LOGIN,
        {
          brokers: [{ host: 'a', port: 1 }],
          sasl: { mechanism: 'PLAIN', username: 'u', password: 'p' },
          ssl: null,
        },
      ],
      [
        { address: ['a:1', 'b:2'], ssl: { mode: 'verify-ca' } },
        {
          brokers: [
            { host: 'a', port: 1 },
            { host: 'b', port: 2 },
          ],
          sasl: null,
          ssl: { mode: 'verify-ca' },
        },
      ],
    ];
    for (const [content, expected] of cases) {
      const settings = parseKafkaSettings(content, DEFAULT_HOST_POLICY);
      assert.deepEqual(settings, { ...expected, hosts: DEFAULT_HOST_POLICY });
      assert.deepEqual(asKafkaSettings(JSON.parse(JSON.stringify(settings)) as Json), settings);
    }
  });

  void it('name the parameter that is wrong', () => {
    const cases: readonly (readonly [Json, string])[] = [
      [null, 'Content'],
      [{}, 'Content.address'],
      [{ address: ' , ' }, 'Content.address'],
      [{ address: 'a:b' }, 'Content.address'],
      [{ address: 'a:70000' }, 'Content.address'],
      [{ address: 'PLAINTEXT://a:1' }, 'Content.address'],
      [{ ...LOGIN, securityProtocol: 'TLS' }, 'Content.securityProtocol'],
      [{ ...LOGIN, saslMechanism: 'GSSAPI' }, 'Content.saslMechanism'],
      [{ ...LOGIN, password: '' }, 'Content.password'],
      [{ address: 'a', securityProtocol: 'SASL_SSL', password: 'p' }, 'Content.username'],
      [{ address: 'a', ssl: true }, 'Content.ssl'],
      [{ ...LOGIN, securityprotocol: 'SASL_SSL' }, 'Content.securityprotocol'],
      [{ ...LOGIN, 'security.protocol': 'SASL_SSL' }, 'Content.security.protocol'],
      [{ address: 'a', ssl: { mode: 'disabled' } }, 'Content.ssl.mode'],
      [{ address: 'a', ssl: { ca: '/etc/ca.pem' } }, 'Content.ssl.ca'],
      [{ address: 'a', ssl: { cert: PEM } }, 'Content.ssl.key'],
      [{ address: 'a', ssl: { key: PEM } }, 'Content.ssl.cert'],
    ];
    for (const [content, parameter] of cases) {
      assert.throws(() => parseKafkaSettings(content, DEFAULT_HOST_POLICY), { name: 'SettingsError', parameter });
    }
  });
});

void describe('the options of the Kafka writer', () => {
  void it('have defaults, and may be read again', () => {
    assert.deepEqual(parseKafkaOptions(null), DEFAULT_OPTIONS);
    const options = parseKafkaOptions({
      writeMode: 'debezium',
      keyColumns: ' a, b ,',
      cleanupPolicy: 'delete,compact',
      timeZone: 'Asia/Shanghai',
      kafkaClientProperties: [{ key: 'acks', value: 'all' }],
      table: ['ignored'],
    });
    assert.deepEqual(options, {
      ...DEFAULT_OPTIONS,
      writeMode: 'debezium',
      keyColumns: ['a', 'b'],
      cleanupPolicy: 'compact,delete',
      timeZone: 'Asia/Shanghai',
      kafkaClientProperties: { acks: 'all' },
    });
    assert.deepEqual(parseKafkaOptions(options), options);
  });

  void it('take the Java client’s properties, behind options of their own', () => {
    const kafkaClientProperties = {
      acks: '-1',
      'enable.idempotence': true,
      'compression.type': 'zstd',
      'max.in.flight.requests.per.connection': 1,
      'max.request.size': '2000000',
      'request.timeout.ms': '20000',
      'transaction.timeout.ms': '90000',
      'linger.ms': '0',
      'client.id': 'mine',
      'buffer.memory': '100554432',
      'key.serializer': 'org.apache.kafka.common.serialization.StringSerializer',
    };
    const options = parseKafkaOptions({ kafkaClientProperties, transactionTimeoutMs: 30_000 });
    const { kafkaClientProperties: kept, ...others } = options;
    const { kafkaClientProperties: _, ...defaults } = DEFAULT_OPTIONS;
    assert.deepEqual(others, {
      ...defaults,
      compression: 'zstd',
      inFlightMax: 1,
      requestBytesMax: 2_000_000,
      requestTimeoutMs: 20_000,
      transactionTimeoutMs: 30_000,
      commitIntervalMs: 1,
      clientId: 'mine',
    });
    assert.deepEqual(propertyWarnings(kept), [
      'kafkaClientProperties: buffer.memory has no effect here',
      'kafkaClientProperties: key.serializer has no effect here',
    ]);
    assert.deepEqual(parseKafkaOptions(options), options);
  });

  void it('say whether tables without a primary key are taken', () => {
    const options: readonly Json[] = [{}, { writeTablesWithoutKey: true }, { keyColumns: ['a'] }];
    assert.deepEqual(options.map(kafkaConnector.takesTablesWithoutKey), [false, true, true]);
  });

  void it('name the option that is wrong', () => {
    const property = (name: string, value: Json) => [{ kafkaClientProperties: { [name]: value } }, name] as const;
    const properties = [
      property('acks', '1'),
      property('enable.idempotence', 'false'),
      property('max.request.size', 'many'),
      property('transactional.id', 'x'),
      property('sasl.jaas.config', 'x'),
      property('bootstrap.servers', 'x'),
      property('interceptor.classes', 'x'),
      property('toString', 'x'),
      property('linger.ms', null),
    ].map(([parameter, name]) => [parameter, `kafkaClientProperties.${name}`] as const);
    const cases: readonly (readonly [Json, string])[] = [
      ...properties,
      [[], 'parameter'],
      [{ writeMode: 'avro' }, 'writeMode'],
      [{ topic: '' }, 'topic'],
      [{ topic: 'x_${srcTable}' }, 'topic'],
      [{ partitions: 0 }, 'partitions'],
      [{ replication: 0 }, 'replication'],
      [{ cleanupPolicy: 'none' }, 'cleanupPolicy'],
      [{ keyColumns: [1] }, 'keyColumns'],
      [{ partitioner: 'hash' }, 'partitioner'],
      [{ delivery: 'once' }, 'delivery'],
      [{ compression: 'brotli' }, 'compression'],
      [{ kafkaClientProperties: { 'compression.type': 'brotli' } }, 'compression'],
      [{ kafkaClientProperties: { 'max.in.flight.requests.per.connection': 6 } }, 'inFlightMax'],
      [{ kafkaClientProperties: 'acks=all' }, 'kafkaClientProperties'],
      [{ kafkaClientProperties: ['acks'] }, 'kafkaClientProperties'],
      [{ timeZone: 'Nowhere/Land' }, 'timeZone'],
      [{ heartbeatSeconds: -1 }, 'heartbeatSeconds'],
      [{ commitIntervalMs: 0 }, 'commitIntervalMs'],
    ];
    for (const [parameter, name] of cases) {
      assert.throws(() => parseKafkaOptions(parameter), { name: 'SettingsError', parameter: name });
    }
  });

  void it('name all of the Java client’s properties that are wrong', () => {
    const kafkaClientProperties = { acks: '1', retries: 3, foo: 'bar', 'sasl.mechanism': 'PLAIN' };
    assert.throws(() => parseKafkaOptions({ kafkaClientProperties, compression: 'brotli' }), {
      parameter:
        'kafkaClientProperties.foo, kafkaClientProperties.sasl.mechanism, kafkaClientProperties.acks, compression',
      message:
        'kafkaClientProperties.foo is not served; kafkaClientProperties.sasl.mechanism belongs into the data source; kafkaClientProperties.acks must be all: what is not replicated can be lost; compression: give none, gzip, snappy, lz4 or zstd',
    });
  });

  void it('name all that are wrong at once, and those that are spelt in another way', () => {
    assert.throws(() => parseKafkaOptions({ writeMode: 'avro', topic: 'x_${tabel}', partitions: 0, keycolumns: 'a' }), {
      name: 'SettingsError',
      parameter: 'writeMode, topic, partitions, keycolumns',
      message:
        'writeMode: give json, canal or debezium; topic: ${tabel} is not known; give a name; ${srcDatabaseName}, ${srcTableName} and ${srcDatasourceName} stand for what they say; partitions: give a number of partitions, or -1 for what the brokers are set to; keycolumns: is spelt keyColumns',
    });
  });
});
