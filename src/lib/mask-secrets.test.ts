import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from './json-value.ts';
import { maskedKey, maskSecrets } from './mask-secrets.ts';

test('secrets are masked by their keys, whatever their case, type and depth; what is beside them stays', () => {
  assert.deepEqual(
    maskSecrets({
      username: 'u',
      password: 'p',
      Password: 'p',
      PASSWD: 1,
      accessId: 'id',
      accessKey: 'p',
      accessKeyId: 'id',
      secretKey: 'p',
      sas_key: 'p',
      accessKeySecret: ['p'],
      securityToken: { p: 'p' },
      ssl: { mode: 'required', ca: 'CA', cert: 'CERT', key: 'p' },
      list: [{ password: 'p', keyColumns: 'id' }, null, 1, true],
      empty: { password: '', key: null },
    }),
    {
      username: 'u',
      password: '***',
      Password: '***',
      PASSWD: '***',
      accessId: 'id',
      accessKey: '***',
      accessKeyId: 'id',
      secretKey: '***',
      sas_key: '***',
      accessKeySecret: '***',
      securityToken: '***',
      ssl: { mode: 'required', ca: 'CA', cert: 'CERT', key: '***' },
      list: [{ password: '***', keyColumns: 'id' }, null, 1, true],
      empty: { password: '', key: null },
    },
  );
});

test('secrets are masked in JSON that is a text within JSON, and in pairs of a name and a value', () => {
  const pairs = [
    { key: 'sasl.jaas.config', value: 'p' },
    { Name: 'password', Value: 'p' },
    { key: 'acks', value: 'all' },
  ];
  assert.deepEqual(
    maskSecrets({ inner: JSON.stringify({ pairs, url: 'jdbc:mysql://u:p@h/d' }), broken: '{"password":"p' }),
    {
      inner: JSON.stringify({
        pairs: [
          { key: 'sasl.jaas.config', value: '***' },
          { Name: 'password', Value: '***' },
          { key: 'acks', value: 'all' },
        ],
        url: 'jdbc:mysql://u:***@h/d',
      }),
      broken: '***',
    },
  );
});

test('secrets are masked within URLs', () => {
  const masked = (url: string) => maskSecrets({ jdbcUrl: url });
  assert.deepEqual(
    [
      masked('jdbc:mysql://h:3306/d?user=u&password=p&useSSL=true'),
      masked('jdbc:mysql://u:p@h:3306/d'),
      masked('jdbc:mysql://u:p@q@h:3306/d'),
      masked('jdbc:mysql://address=(host=h)(password=p)(port=1)/d'),
      masked('jdbc:postgresql://h/d?sslpassword=p;PASSWORD=p'),
      masked('jdbc:mysql://h:3306/d'),
    ],
    [
      'jdbc:mysql://h:3306/d?user=u&password=***&useSSL=true',
      'jdbc:mysql://u:***@h:3306/d',
      'jdbc:mysql://u:***@h:3306/d',
      'jdbc:mysql://address=(host=h)(password=***)(port=1)/d',
      'jdbc:postgresql://h/d?sslpassword=***;PASSWORD=***',
      'jdbc:mysql://h:3306/d',
    ].map((jdbcUrl) => ({ jdbcUrl })),
  );
});

test('a mask in place of a secret is found, however deep it lies', () => {
  assert.deepEqual(
    [
      maskedKey({ username: '***', password: 'p' }),
      maskedKey({ password: '***' }),
      maskedKey({ password: '******' }),
      maskedKey({ ssl: { mode: 'required', key: '***' } }),
      maskedKey([{ accessKey: '***' }]),
      maskedKey(null),
    ],
    [null, 'password', 'password', 'ssl.key', '0.accessKey', null],
  );
});

test('a long text without end is masked in no time', () => {
  const startedAt = performance.now();
  for (const part of ['//:', 'a', ':', '//', 'password', '@', '=']) maskSecrets(part.repeat(65_536 / part.length));
  assert.ok(performance.now() - startedAt < 500);
});

test('a name beside a value tells whether it is a secret; a private key beside one stays a secret', () => {
  const of = (content: Json) => maskSecrets(content);
  assert.deepEqual(of({ Key: 'password', value: 's' }), { Key: 'password', value: '***' });
  assert.deepEqual(of({ key: 'p', name: 'n', value: 'v' }), { key: '***', name: 'n', value: 'v' });
  assert.deepEqual(of({ key: '-----BEGIN KEY-----\np', value: 'v' }), { key: '***', value: 'v' });
  assert.deepEqual(of({ name: 'token', value: 's', type: 't' }), { name: 'token', value: '***', type: 't' });
  assert.deepEqual(of({ value: 'v' }), { value: 'v' });
});

test('settings within a text are masked by the same words, quoted ones whole', () => {
  assert.equal(
    maskSecrets('pass=a private_key=b sasl.jaas.config=c password="d e" user=u;SecretText=\'f g\';n=1'),
    'pass=*** private_key=*** sasl.jaas.config=*** password=*** user=u;SecretText=***;n=1',
  );
});

test('a text that only begins like JSON stays, unless it may hold a secret', () => {
  assert.deepEqual(maskSecrets(['[prod] db', '{"password":"p']), ['[prod] db', '***']);
});

test('the mask in the place of a secret is found wherever secrets are', () => {
  const found = (content: Json) => maskedKey(content);
  assert.equal(found({ props: [{ key: 'sasl.jaas.config', value: '***' }] }), 'props.0.value');
  assert.equal(found({ inner: '{"password":"***"}' }), 'inner.password');
  assert.equal(found({ props: [{ key: 'acks', value: '***' }], inner: '[x] ***' }), null);
});
