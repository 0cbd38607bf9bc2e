import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

const file = (text: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'disync-config-')), 'disync.yaml');
  writeFileSync(path, text);
  return path;
};
const refusal = (expected: RegExp) => (error: unknown) => error instanceof ConfigError && expected.test(error.message);

void describe('the configuration', () => {
  void it('takes flags before the environment, and that before the file', () => {
    const config = readConfig(
      { config: file('port: 1\nhost: 127.0.0.9\nlogLevel: debug\n'), port: '3' },
      { DISYNC_PORT: '2', DISYNC_LOG_LEVEL: 'warn' },
    );
    assert.deepEqual(
      { port: config.port, host: config.host, logLevel: config.logLevel },
      { port: 3, host: '127.0.0.9', logLevel: 'warn' },
    );
  });

  void it('takes a URL for robots, and nothing else', () => {
    const url = 'https://robots.example/send';
    const variables = { DISYNC_DING_ROBOT_URL: url, DISYNC_FEISHU_ROBOT_URL: `${url}/hook` };
    assert.deepEqual(readConfig({}, variables).robots, { dingRobotUrl: url, feishuRobotUrl: `${url}/hook` });
    assert.deepEqual(readConfig({}, {}).robots, { dingRobotUrl: null, feishuRobotUrl: null });
    assert.throws(() => readConfig({ dingRobotUrl: 'robots.example' }, {}), refusal(/dingRobotUrl is wrong/));
  });

  void it('refuses unknown keys wherever they stand', () => {
    assert.throws(() => readConfig({ config: file('prot: 1') }, {}), refusal(/unknown key prot/));
    assert.throws(() => readConfig({}, { DISYNC_PROT: '1' }), refusal(/unknown variable DISYNC_PROT/));
    assert.throws(() => readConfig({ prot: 1 }, {}), refusal(/./));
  });

  void it('refuses a value of the wrong type, and names the setting', () => {
    const wrong = { port: 'many', runMemoryMb: 10, logLevel: 'loud', dev: 'perhaps', host: '', dingRobotUrl: 'x' };
    const told = Object.entries(wrong).map(([name, value]) => {
      try {
        readConfig({ [name]: value }, {});
      } catch (error) {
        return error instanceof ConfigError ? error.message : error;
      }
      return null;
    });
    assert.deepEqual(told, [
      'the setting port is wrong: it must be a whole number from 0 to 65535',
      'the setting runMemoryMb is wrong: it must be a whole number from 192 to 65536',
      'the setting logLevel is wrong: it must be error, warn, info, debug',
      'the setting dev is wrong: it must be true or false',
      'the setting host is wrong: it must not have fewer than 1 characters',
      'the setting dingRobotUrl is wrong: it must match pattern "^https?://"',
    ]);
  });

  void it('lets data sources lead to private and loopback addresses unless it says otherwise', () => {
    assert.deepEqual(readConfig({}, {}).hosts, { private: 'allow', loopback: 'allow' });
    assert.deepEqual(readConfig({ config: file('networkPrivate: deny') }, { DISYNC_NETWORK_LOOPBACK: 'deny' }).hosts, {
      private: 'deny',
      loopback: 'deny',
    });
    assert.throws(() => readConfig({}, { DISYNC_NETWORK_PRIVATE: 'no' }), refusal(/setting networkPrivate/));
  });

  void it('refuses --dev and clear text beyond loopback', () => {
    assert.throws(() => readConfig({ dev: true, host: '0.0.0.0' }, {}), refusal(/loopback only/));
    assert.throws(() => readConfig({ host: '0.0.0.0' }, {}), refusal(/--insecure/));
    assert.equal(readConfig({ host: '0.0.0.0', insecure: true }, {}).host, '0.0.0.0');
  });
});
