import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import type { AlarmRuleSpec } from '../tasks/alarm-rule.ts';
import type { AlarmRuleId, ProjectId } from '../tasks/ids.ts';
import type { VersionRecord } from '../tasks/task-store.ts';
import { LeaseError } from './lease.ts';
import { MasterKeyError } from './master-key.ts';
import { rotateMasterKey, type RotationStep, SEALED } from './rotate-master-key.ts';
import { Store } from './store.ts';

const ROTATOR = join(import.meta.dirname, '..', '..', 'test', 'support', 'key-rotator.ts');
const PROJECT = 7n as ProjectId;
const KEY = 'ab'.repeat(32);
const CONTENT = '{"password":"canary"}';
const VERSION: VersionRecord = {
  version: 1,
  definition: {
    name: null,
    resourceGroup: '',
    route: 'oneclick_to_holo',
    sourceName: 's',
    sinkName: 't',
    form: 'table',
    initialLoad: 'all',
    reader: {},
    writer: {},
    tables: [],
  },
  content: '{}',
  shown: { added: [], removed: [] },
};
const ALARM: AlarmRuleSpec = {
  description: null,
  enabled: true,
  metric: 'Heartbeat',
  conditions: [{ severity: 'Warning', durationMinutes: null, threshold: null, ddl: null }],
  muteMinutes: 5,
  channels: [{ severity: 'Warning', channels: ['Ding'] }],
  receivers: [{ type: 'DingToken', values: ['canary'] }],
};

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Keys {
  readonly masterKey?: string | null;
  readonly masterKeyFile?: string | null;
}

function open(folder: string, keys: Keys = {}, exclusive = true): Store {
  return Store.open({ folder, masterKey: null, masterKeyFile: null, clock: systemClock, exclusive, ...keys });
}

function rotate(folder: string, to: string | null = null, keys: Keys = {}) {
  return rotateMasterKey({ folder, masterKey: null, masterKeyFile: null, to, ...keys });
}

/** A store with three sealed secrets, and the folder beside which its key is. */
async function made(keys: Keys = {}): Promise<{ folder: string; beside: (name: string) => string }> {
  const parent = mkdtempSync(join(tmpdir(), 'disync-rotate-'));
  folders.push(parent);
  const folder = join(parent, 'data');
  const store = open(folder, keys);
  await store.access.createProject(PROJECT, 'p');
  await store.access.createKey({ projects: [PROJECT], id: 'KEY', secret: 'secret of a key' });
  const row = { project: PROJECT, name: 'shop', type: 'mysql', subType: null, env: 1, description: '' } as const;
  const times = { createdAt: 1, modifiedAt: 1, operator: 'KEY', enabled: true };
  await store.transaction(async (records) => {
    await records.insertDataSource({ ...row, ...times, content: CONTENT, maskedContent: '{}' });
    const task = {
      project: PROJECT,
      name: 't',
      type: 'DI_REALTIME',
      settings: '{}',
      folder: '',
      creator: 'KEY',
    } as const;
    await records.alarms.insert(await records.insertTask(task, VERSION), ALARM, 'KEY');
  });
  await store.close();
  return { folder, beside: (name) => join(parent, name) };
}

/** Opens the store, and compares its secrets. */
async function mustOpen(folder: string, keys: Keys = {}): Promise<void> {
  const store = open(folder, keys);
  const source = await store.transaction((records) => records.dataSourceNamed(PROJECT, 1, 'shop'));
  assert.deepEqual([(await store.access.findKey('KEY'))?.secret, source?.content], ['secret of a key', CONTENT]);
  const rule = await store.transaction((records) => records.alarms.rule(1n as AlarmRuleId));
  assert.deepEqual(rule?.receivers, ALARM.receivers);
  await store.close();
}

function sealedValues(folder: string): Buffer[] {
  const database = new DatabaseSync(join(folder, 'disync.db'));
  const values = SEALED.flatMap(({ table, column }) =>
    database
      .prepare(`SELECT ${column} AS value FROM ${table}`)
      .all()
      .map(({ value }) => Buffer.from(value as Uint8Array)),
  );
  database.close();
  return values;
}

test('a new key takes the place of the former, which is kept; nothing that the former sealed is left', async () => {
  const { folder, beside } = await made();
  const former = readFileSync(beside('master.key'), 'utf8');
  const sealed = sealedValues(folder);
  const done = await rotate(folder);
  const kept = `${beside('master.key')}.former-${done.formerFingerprint}`;
  assert.deepEqual(
    { file: done.file, former: done.former, secrets: done.secrets },
    { file: beside('master.key'), former: kept, secrets: 3 },
  );
  assert.notEqual(done.fingerprint, done.formerFingerprint);
  assert.deepEqual([readFileSync(kept, 'utf8'), statSync(kept).mode & 0o777], [former, 0o600]);
  assert.deepEqual([statSync(done.file).mode & 0o777, existsSync(`${done.file}.next`)], [0o600, false]);
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  assert.equal(files.filter((bytes) => sealed.some((value) => bytes.includes(value))).length, 0);
  await mustOpen(folder);
  assert.throws(
    () => open(folder, { masterKeyFile: kept }),
    (error: unknown) =>
      error instanceof MasterKeyError &&
      error.message.includes(`sealed with the key ${done.fingerprint}, and ${done.formerFingerprint} was given`),
  );
  assert.equal((await rotate(folder)).secrets, 3);
  await mustOpen(folder);
});

test('a key that came by itself is rotated to a file, and only there', async () => {
  const { folder, beside } = await made({ masterKey: KEY });
  await assert.rejects(rotate(folder, null, { masterKey: KEY }), /give --to/);
  const to = beside('new.key');
  const done = await rotate(folder, to, { masterKey: KEY });
  assert.deepEqual([done.file, done.former, done.secrets], [to, null, 3]);
  await mustOpen(folder, { masterKeyFile: to });
  assert.throws(() => open(folder, { masterKey: KEY }), /is sealed with the key/);
});

const STEPS: readonly RotationStep[] = ['key made', 'sealing', 'sealed', 'finished'];
const isSealed = (step: RotationStep) => step === 'sealed' || step === 'finished';

for (const step of STEPS) {
  test(`a rotation in place that is killed when it says "${step}" leaves a store that opens, and can be rotated`, async () => {
    const { folder, beside } = await made();
    const former = readFileSync(beside('master.key'));
    const killed = spawnSync(process.execPath, [ROTATOR, folder, step], { encoding: 'utf8' });
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    // A look from beside changes nothing; a start finishes what was begun.
    await open(folder, {}, false).close();
    await mustOpen(folder);
    assert.equal(readFileSync(beside('master.key')).equals(former), !isSealed(step));
    await rotate(folder);
    await mustOpen(folder);
    assert.equal(existsSync(`${beside('master.key')}.next`), false);
  });

  test(`a rotation to a file that is killed when it says "${step}" leaves one of the keys, and is told which`, async () => {
    const { folder, beside } = await made({ masterKey: KEY });
    const to = beside('new.key');
    const killed = spawnSync(process.execPath, [ROTATOR, folder, step, to], {
      encoding: 'utf8',
      env: { ...process.env, KEY },
    });
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    const [opening, other] = isSealed(step)
      ? [{ masterKeyFile: to }, { masterKey: KEY }]
      : [{ masterKey: KEY }, { masterKeyFile: to }];
    await mustOpen(folder, opening);
    assert.throws(() => open(folder, other), /It is sealed with the key [0-9a-f]{12}, and [0-9a-f]{12} was given/);
    assert.equal((await rotate(folder, to, { masterKey: KEY })).secrets, isSealed(step) ? 0 : 3);
    await mustOpen(folder, { masterKeyFile: to });
  });
}

test('a store that somebody has open is not rotated, and stays as it was', async () => {
  const { folder, beside } = await made();
  const key = readFileSync(beside('master.key'));
  const serving = open(folder);
  await assert.rejects(rotate(folder), LeaseError);
  await serving.close();
  const looking = open(folder, {}, false);
  await assert.rejects(
    rotate(folder),
    (error: unknown) => error instanceof MasterKeyError && /open elsewhere/.test(error.message),
  );
  await looking.close();
  assert.deepEqual(readFileSync(beside('master.key')), key);
  await mustOpen(folder);
});

test('what cannot be rotated says why', async () => {
  const { folder, beside } = await made();
  await assert.rejects(rotate(beside('nowhere')), /there is no store at/);
  await assert.rejects(rotate(folder, null, { masterKey: KEY }), /give --to/);
  await assert.rejects(
    rotate(folder, beside('to.key'), { masterKey: KEY }),
    /not the one that this store was written with/,
  );
  await mustOpen(folder);
});

test('every column of bytes in the store is known to be sealed', async () => {
  const { folder } = await made();
  const database = new DatabaseSync(join(folder, 'disync.db'));
  const columns = database
    .prepare(
      "SELECT m.name || '.' || c.name AS name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'BLOB' ORDER BY 1",
    )
    .all()
    .map(({ name }) => name);
  database.close();
  assert.deepEqual(columns, SEALED.map(({ table, column }) => `${table}.${column}`).sort());
});
