import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuthenticationError, NetworkError, ResponseError, TimeoutError, UserError } from '@platformatic/kafka';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { brokerRefusal, KafkaError, toKafkaError } from './errors.ts';

const ABOUT = { doing: 'writing', topic: 'orders' };

void describe('a refusal of the brokers', () => {
  void it('is transient, fatal, or about the producer, by its code alone', () => {
    const cases: readonly (readonly [errorCode: number, refusal: string, kind: string, code: string])[] = [
      [6, 'retry', 'transient', 'Sink.Unavailable'],
      [19, 'retry', 'transient', 'Sink.Unavailable'],
      [51, 'retry', 'transient', 'Sink.Unavailable'],
      [7, 'unavailable', 'transient', 'Sink.Unavailable'],
      [20, 'unavailable', 'transient', 'Sink.Unavailable'],
      [56, 'unavailable', 'transient', 'Sink.Unavailable'],
      [-1, 'unavailable', 'transient', 'Sink.Unavailable'],
      [999, 'unavailable', 'transient', 'Sink.Unavailable'],
      [45, 'fenced', 'transient', 'Kafka.Fenced'],
      [47, 'fenced', 'transient', 'Kafka.Fenced'],
      [90, 'fenced', 'transient', 'Kafka.Fenced'],
      [120, 'fenced', 'transient', 'Kafka.Fenced'],
      [3, 'topic', 'transient', 'Kafka.TopicMissing'],
      [10, 'size', 'fatal', 'Kafka.MessageTooLarge'],
      [87, 'record', 'fatal', 'Kafka.RecordRefused'],
      [50, 'settings', 'fatal', 'Kafka.SettingRefused'],
      [38, 'settings', 'fatal', 'Kafka.SettingRefused'],
      [29, 'denied', 'fatal', 'Sink.Denied'],
      [53, 'denied', 'fatal', 'Sink.Denied'],
      [35, 'unsupported', 'fatal', 'Kafka.Unsupported'],
      [76, 'unsupported', 'fatal', 'Kafka.Unsupported'],
    ];
    for (const [errorCode, refusal, kind, code] of cases) {
      const error = brokerRefusal(errorCode, ABOUT);
      const found = { refusal: error.refusal, kind: error.kind, code: error.code, topic: error.topic };
      assert.deepEqual(found, { refusal, kind, code, topic: 'orders' }, `error code ${errorCode}`);
    }
  });

  void it('says what was done to what, and the broker’s reason unless that may quote a record', () => {
    const tooLarge = brokerRefusal(10, { ...ABOUT, bytes: 1_200_000 }, 'more than 1048588');
    assert.equal(
      tooLarge.message,
      'writing (topic orders): MESSAGE_TOO_LARGE, a batch of 1200000 bytes: more than 1048588',
    );
    assert.equal(tooLarge.bytes, 1_200_000);
    assert.equal(brokerRefusal(87, ABOUT, 'record 4711').message, 'writing (topic orders): INVALID_RECORD');
    assert.equal(brokerRefusal(53, { doing: 'looking' }, '').message, 'looking: TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
  });
});

void describe('an error of the library', () => {
  const refused = new ResponseError(36, 2, { '/': [58, 'no such user'] }, {});
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const proof = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });

  void it('is what its last cause says', () => {
    const cases: readonly (readonly [Error, string])[] = [
      [new NetworkError('Connection closed'), 'Sink.Unavailable'],
      [new TimeoutError('Request timed out'), 'Sink.Unavailable'],
      [new NetworkError('failed', { cause: reset }), 'Sink.Unavailable'],
      [new NetworkError('failed', { cause: proof }), 'Kafka.TlsFailed'],
      [new UserError('Broker requires TLS.'), 'Kafka.TlsFailed'],
      [new NetworkError('failed', { cause: new AuthenticationError('no', { cause: refused }) }), 'Sink.Denied'],
      [new AuthenticationError('no', { cause: new NetworkError('Connection closed') }), 'Sink.Unavailable'],
      [new AuthenticationError('no', { cause: new NetworkError('failed', { cause: reset }) }), 'Sink.Unavailable'],
      [new AuthenticationError('the server does not know the password'), 'Sink.Denied'],
      [new Error('anything else'), 'Sink.Unavailable'],
    ];
    for (const [error, code] of cases) assert.equal(toKafkaError(error, ABOUT).code, code, error.message);
  });

  void it('keeps its message and what was below it; an error of ours passes as it is', () => {
    const error = toKafkaError(new NetworkError('Connection to b:1 failed.', { cause: reset }), ABOUT);
    assert.ok(error instanceof KafkaError);
    assert.equal(error.message, 'writing: Connection to b:1 failed. read ECONNRESET');
    assert.equal(error.topic, 'orders');
    const ifCut = 'as some do';
    const told = [
      new NetworkError('Connection to b:1 failed.', { cause: reset }),
      new NetworkError('Connection closed'),
      new NetworkError('failed.', {
        cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      }),
    ].map((one) => toKafkaError(one, { doing: 'connecting', ifCut }).message);
    assert.deepEqual(told, [
      'connecting: Connection to b:1 failed. read ECONNRESET, as some do',
      'connecting: Connection closed, as some do',
      'connecting: failed. connect ECONNREFUSED',
    ]);
    const alert = Object.assign(new Error('40F7:error:0A000412:SSL routines::x.c:918:SSL alert number 42\n'), {
      code: 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
      library: 'SSL routines',
      reason: 'ssl/tls alert bad certificate',
    });
    assert.equal(
      toKafkaError(new NetworkError('Connection error', { cause: alert }), ABOUT).message,
      'writing: Connection error ssl/tls alert bad certificate',
    );
    const own = new PipelineError('fatal', 'Run.Unexpected', 'ours');
    assert.equal(toKafkaError(own, ABOUT), own);
  });
});
