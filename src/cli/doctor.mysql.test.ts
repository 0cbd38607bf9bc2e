import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freshMysqlDatabase, mysqlClient, sharedServer, type TestServer } from '../../test/support/servers.ts';
import { sinks, sources } from '../connectors/index.ts';
import { systemClock } from '../lib/clock.ts';
import { DEFAULT_HOST_POLICY } from '../lib/host-policy.ts';
import { parseJson } from '../lib/json.ts';
import { Store } from '../store/store.ts';
import { DataSources } from '../tasks/data-sources.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { runDoctor } from './doctor.ts';

void describe('disync doctor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'disync-doctor-'));
  const dataDir = join(folder, 'store');
  let server: TestServer;
  let database: string;
  let url: string;
  let options: { user: string; password: string };

  before(async () => {
    server = await sharedServer('mariadb');
    database = await freshMysqlDatabase(server);
    url = `jdbc:mysql://127.0.0.1:${server.port}/${database}`;
    options = { user: server.user, password: server.password };
    const root = await mysqlClient(server, database);
    await root.query('CREATE TABLE t (id INT PRIMARY KEY)');
    await root.end();
  });
  after(() => rmSync(folder, { recursive: true }));

  void it('exits with 0 when nothing stands in the way, and says what it looked at', async () => {
    const { exit, stdout, stderr } = await runDoctor(url, options);
    assert.deepEqual([exit, stderr], [0, '']);
    const lines = stdout.split('\n');
    assert.equal(lines[0], `${url}: ${server.version}, as '${server.user}'@'127.0.0.1'; ${database}`);
    assert.ok(lines.includes('fine     binlog_format is ROW'));
    assert.ok(lines.includes(`fine     1 of 1 tables of ${database} can be captured`));
    assert.match(lines.at(-2) ?? '', /^Nothing stands in the way; \d+ warnings?\.$/);
  });

  void it('exits with 1 when something does, and shows its code, what follows, and the statement', async () => {
    const user = database.slice(-20);
    const root = await mysqlClient(server);
    await root.query(
      `CREATE USER '${user}'@'127.0.0.1' IDENTIFIED BY 'p'; GRANT SELECT, REPLICATION SLAVE ON *.* TO '${user}'@'127.0.0.1'`,
    );
    await root.end();
    const { exit, stdout } = await runDoctor(url, { user, password: 'p' });
    assert.equal(exit, 1);
    const lines = stdout.split('\n');
    assert.match(lines[2] ?? '', /^problem {2}MySQL\.Denied: the account has no BINLOG MONITOR/);
    assert.deepEqual(lines.slice(3, 5), [
      '         → it cannot see which logs there are, and where the last one ends',
      `         GRANT BINLOG MONITOR ON *.* TO '${user}'@'127.0.0.1';`,
    ]);
    assert.match(lines.at(-2) ?? '', /^1 problem stands in the way; \d+ warnings?\.$/);
    const json = await runDoctor(url, { user, password: 'p', json: true });
    const { findings, databases } = parseJson(json.stdout) as {
      findings: { level: string; remedy: string }[];
      databases: string[];
    };
    assert.deepEqual(
      [json.exit, databases, findings.filter(({ level }) => level === 'problem').map(({ remedy }) => remedy)],
      [1, [database], [`GRANT BINLOG MONITOR ON *.* TO '${user}'@'127.0.0.1';`]],
    );
  });

  void it('goes nowhere where the configuration of the service does not let a data source lead to', async () => {
    const config = join(folder, 'closed.yaml');
    writeFileSync(config, 'networkLoopback: deny\n');
    const { exit, stderr } = await runDoctor(url, { ...options, config });
    assert.deepEqual([exit, stderr.split(':')[0]], [2, 'Network.HostRefused']);
  });

  void it('exits with 2 when it cannot ask, and never shows the password', async () => {
    const away = await runDoctor('jdbc:mysql://127.0.0.1:1/d', options);
    assert.equal(away.exit, 2);
    assert.match(away.stderr, /^MySQL\.Unavailable: connecting to 127\.0\.0\.1:1: /);
    const denied = await runDoctor(url, { user: server.user, password: 'the wrong one', json: true });
    assert.equal(denied.exit, 2);
    const { error } = parseJson(denied.stdout) as { error: { code: string } };
    assert.equal(error.code, 'MySQL.Denied');
    const refused = [
      await runDoctor(url, { password: 'x' }),
      await runDoctor(url, { user: 'x' }),
      await runDoctor(`${url}?user=a&password=secret`, options),
      await runDoctor(`jdbc:mysql://a:secret@127.0.0.1:${server.port}/d`, options),
      await runDoctor('jdbc:oracle:thin', options),
      await runDoctor('@/does/not/exist', {}),
      await runDoctor(url, { ...options, tls: 'perhaps' }),
    ];
    assert.deepEqual(
      refused.map(({ exit, stderr }) => [exit, stderr.split(/[:,]/)[0]]),
      [
        [2, 'give the account'],
        [2, 'give the password'],
        [2, 'the URL holds an account or a password'],
        [2, 'the URL holds an account or a password'],
        [2, 'DataSource.Invalid'],
        [2, 'File.Unreadable'],
        [2, 'DataSource.Invalid'],
      ],
    );
    const all = [away, denied, ...refused].map(({ stdout, stderr }) => stdout + stderr).join();
    assert.ok(!/secret|the wrong one/.test(all) && !all.includes(server.password), all);
  });

  void it('looks at a data source by its name, also in one of several workspaces, or by a file of its Content', async () => {
    const content = JSON.stringify({ jdbcUrl: url, username: options.user, password: options.password });
    const store = Store.open({
      folder: dataDir,
      masterKey: null,
      masterKeyFile: null,
      clock: systemClock,
      exclusive: true,
    });
    const surroundings = { connectors: { sources, sinks }, instances: {}, hosts: DEFAULT_HOST_POLICY };
    const registered = new DataSources({ store, ...surroundings, clock: systemClock });
    const make = async (project: number, name: string) => {
      const caller = { project: BigInt(project) as ProjectId, user: 'k' };
      await registered.create(caller, { name, type: 'mysql', subType: null, env: 1, description: '', content });
    };
    for (const project of [1, 2]) await store.access.createProject(BigInt(project) as ProjectId, 'p');
    for (const project of [1, 2]) await make(project, 'both');
    await make(2, 'one');
    const look = async (source: string, project?: string) => {
      const { exit, stdout, stderr } = await runDoctor(source, {
        dataDir,
        ...(project === undefined ? {} : { project }),
      });
      return [exit, exit === 0 ? stdout.split(':')[0] : stderr];
    };
    assert.deepEqual(
      [await look('one'), await look('both'), await look('both', '1'), await look('one', '1'), await look('none')],
      [
        [0, 'one'],
        [2, 'there is a data source both in the projects 1, 2: give --project\n'],
        [0, 'both'],
        [
          2,
          'DataSource.NotFound: datasource:[one] is invalid: there is no data source of that name. Make it with CreateDataSource.\n',
        ],
        [2, 'there is no data source none\n'],
      ],
    );
    await store.close();
    const file = join(folder, 'content.json');
    writeFileSync(file, content);
    writeFileSync(join(folder, 'password'), `${options.password}\n`);
    const byFile = await runDoctor(`@${file}`, {});
    const byPasswordFile = await runDoctor(url, { user: options.user, passwordFile: join(folder, 'password') });
    const elsewhere = await runDoctor('one', { dataDir: join(folder, 'none') });
    assert.deepEqual([byFile.exit, byPasswordFile.exit, elsewhere.exit], [0, 0, 2]);
  });
});
