import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { makeOldStore } from '../../test/support/old-store.ts';
import type { StoredCheckpoint } from '../engine/engine.ts';
import type { TableProgress } from '../pipeline/checkpoint.ts';
import type { ProjectId, TaskId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { TaskRecords } from '../tasks/task-store.ts';
import { Lease, LeaseError } from './lease.ts';
import { MasterKeyError } from './master-key.ts';
import { MIGRATIONS, StoreVersionError } from './migrate.ts';
import { Store } from './store.ts';

const WRITER = join(import.meta.dirname, '..', '..', 'test', 'support', 'store-writer.ts');
const PROJECT = 7n as ProjectId;
const OWNER = { installation: 'here', task: '700001', incarnation: 'first' };

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'disync-store-'));
  folders.push(folder);
  return join(folder, 'data');
}

let now = 1_000_000;
const clock = { now: () => now };

function open(folder: string, changes: { masterKey?: string; exclusive?: boolean } = {}): Store {
  return Store.open({ folder, masterKey: null, masterKeyFile: null, clock, exclusive: true, ...changes });
}

function progress(table: string, changes: Partial<TableProgress> = {}): TableProgress {
  return {
    table: { database: 'shop', table },
    state: 'STREAMING',
    chunksDone: 1,
    chunksAll: 1,
    rows: 10,
    failure: null,
    resume: { cursor: 2n ** 63n - 1n },
    ...changes,
  };
}

function stored(sequence: number, tables: readonly TableProgress[], heldBySink = false): StoredCheckpoint {
  return { checkpoint: { sequence, offset: { gtid: '1-2-3', position: 2n ** 60n }, version: 3, tables }, heldBySink };
}

function byTable({ checkpoint, heldBySink }: StoredCheckpoint): StoredCheckpoint {
  const tables = [...checkpoint.tables].sort((a, b) => (a.table.table < b.table.table ? -1 : 1));
  return { checkpoint: { ...checkpoint, tables }, heldBySink };
}

void test('a checkpoint comes back as it was saved, exact to the last digit, also after the store was reopened', async () => {
  const folder = freshFolder();
  const saved = stored(4, [
    progress('a'),
    progress('b', { state: 'FAILED', failure: { code: 'X', message: 'y', remedy: null } }),
  ]);
  const first = open(folder);
  assert.equal(await first.checkpoints.load(OWNER), null);
  await first.checkpoints.save(OWNER, saved);
  assert.deepEqual(await first.checkpoints.load(OWNER), saved);
  await first.close();
  const second = open(folder);
  assert.deepEqual(await second.checkpoints.load(OWNER), saved);
  const next = stored(5, [progress('a', { rows: 11 }), progress('b', { state: 'REMOVED' }), progress('c')], true);
  await second.checkpoints.save(OWNER, next);
  assert.deepEqual(byTable((await second.checkpoints.load(OWNER)) ?? saved), next);
  await second.close();
});

void test('a checkpoint of another installation, task or incarnation is nobody’s', async () => {
  const store = open(freshFolder());
  await store.checkpoints.save(OWNER, stored(1, [progress('a')]));
  for (const other of [{ installation: 'there' }, { task: '700002' }, { incarnation: 'second' }])
    assert.equal(await store.checkpoints.load({ ...OWNER, ...other }), null);
  await store.close();
});

void test('a new incarnation takes the place of the former one, without its tables', async () => {
  const store = open(freshFolder());
  await store.checkpoints.save(OWNER, stored(9, [progress('a'), progress('b')]));
  const second = { ...OWNER, incarnation: 'second' };
  await store.checkpoints.save(second, stored(1, [progress('c')]));
  assert.deepEqual(await store.checkpoints.load(second), stored(1, [progress('c')]));
  assert.equal(await store.checkpoints.load(OWNER), null);
  await store.close();
});

void test('a forgotten checkpoint is gone with its tables, and others stay', async () => {
  const store = open(freshFolder());
  const other = { ...OWNER, task: '700002' };
  await store.checkpoints.save(OWNER, stored(9, [progress('a'), progress('b')]));
  await store.checkpoints.save(other, stored(2, [progress('a')]));
  await store.checkpoints.forget(OWNER.installation, OWNER.task);
  assert.equal(await store.checkpoints.load(OWNER), null);
  assert.deepEqual(await store.checkpoints.load(other), stored(2, [progress('a')]));
  await store.checkpoints.save(OWNER, stored(1, [progress('b')]));
  assert.deepEqual(await store.checkpoints.load(OWNER), stored(1, [progress('b')]));
  await store.close();
});

void test('a sink’s note stays as it was written, and only who knows the newest replaces it', async () => {
  const folder = freshFolder();
  const first = open(folder);
  assert.deepEqual(await first.journals.read(OWNER), { revision: 0, record: null });
  assert.equal(await first.journals.write(OWNER, 'one', 0), 1);
  assert.equal(await first.journals.write(OWNER, 'by one who has not read it', 0), null);
  assert.equal(await first.journals.write(OWNER, 'two', 1), 2);
  assert.equal(await first.journals.write(OWNER, 'by one who has read the first', 1), null);
  await first.close();
  const second = open(folder);
  assert.deepEqual(await second.journals.read(OWNER), { revision: 2, record: 'two' });
  await second.close();
});

void test('a new incarnation’s note takes the place of the former one’s, and is forgotten with the checkpoint', async () => {
  const store = open(freshFolder());
  const next = { ...OWNER, incarnation: 'second' };
  await store.journals.write(OWNER, 'former', 0);
  assert.deepEqual(await store.journals.read(next), { revision: 1, record: null });
  assert.equal(await store.journals.write(next, 'newer', 1), 2);
  assert.deepEqual(await store.journals.read(OWNER), { revision: 2, record: null });
  assert.equal(await store.journals.write(OWNER, 'late', 1), null);
  await store.checkpoints.forget(OWNER.installation, OWNER.task);
  assert.deepEqual(await store.journals.read(next), { revision: 0, record: null });
  await store.close();
});

void test('a save writes the records of tables that changed, and no others', async () => {
  const folder = freshFolder();
  const store = open(folder);
  const many = Array.from({ length: 50 }, (_, index) => progress(`t${index}`));
  await store.checkpoints.save(OWNER, stored(1, many));
  const rowids = () => {
    const database = new DatabaseSync(join(folder, 'disync.db'), { readOnly: true });
    const rows = database.prepare('SELECT name, rowid FROM checkpoint_table').all();
    database.close();
    return new Map(rows.map((row) => [String(row['name']), Number(row['rowid'])]));
  };
  const before = rowids();
  await store.checkpoints.save(OWNER, stored(2, [...many.slice(0, 49), progress('t49', { rows: 99 })]));
  const after = rowids();
  const written = [...after].filter(([name, id]) => before.get(name) !== id).map(([name]) => name);
  assert.deepEqual(written, ['t49']);
  await store.close();
});

void test('what a failed transaction wrote is undone, and what others wrote meanwhile is not', async () => {
  const store = open(freshFolder());
  const failing = store.transaction(async (records) => {
    await records.insertToken(PROJECT, 'op', 'lost', { parameters: '', answer: 1n });
    await Promise.resolve();
    throw new Error('changed my mind');
  });
  const others = Promise.all([
    store.access.createProject(PROJECT, 'kept'),
    store.checkpoints.save(OWNER, stored(1, [])),
    store.checkpoints.forget('here', 'another'),
    store.transaction((records) => records.insertToken(PROJECT, 'op', 'kept', { parameters: '', answer: 2n })),
  ]);
  await assert.rejects(failing, /changed my mind/);
  await others;
  const token = (name: string) => store.transaction((records: TaskRecords) => records.token(PROJECT, 'op', name));
  assert.deepEqual(
    [await store.access.projectExists(PROJECT), await token('lost'), await token('kept')],
    [true, null, { parameters: '', answer: 2n }],
  );
  assert.deepEqual(await store.checkpoints.load(OWNER), stored(1, []));
  await store.close();
});

void test('what only reads waits for no writer of another process, and what writes does', async () => {
  const folder = freshFolder();
  const store = open(folder);
  const token = () => store.transaction((records) => records.token(PROJECT, 'op', 't'));
  const remember = () =>
    store.transaction((records) => records.insertToken(PROJECT, 'op', 't', { parameters: '', answer: 1n }));
  const other = new DatabaseSync(join(folder, 'disync.db'));
  other.exec('BEGIN IMMEDIATE');
  assert.equal(await token(), null);
  await assert.rejects(remember(), /locked/);
  other.exec('ROLLBACK');
  other.close();
  await remember();
  assert.deepEqual(await token(), { parameters: '', answer: 1n });
  await store.close();
});

void test('a second server is refused and told of the first; a command beside it is not', async () => {
  const folder = freshFolder();
  const first = open(folder);
  assert.throws(
    () => open(folder),
    (error: unknown) => {
      assert.ok(error instanceof LeaseError);
      assert.match(
        `${error.message}. ${error.hint}`,
        new RegExp(`process ${process.pid} on .*Stop it first, or give another --data-dir`),
      );
      return true;
    },
  );
  const beside = open(folder, { exclusive: false });
  await beside.access.createProject(PROJECT, 'made beside');
  assert.equal(await first.access.projectExists(PROJECT), true);
  await beside.close();
  await first.close();
  await open(folder).close();
});

void test('another process that serves the store is named, and its kill -9 frees the store at once', async () => {
  const folder = freshFolder();
  const child = await startWriter(folder, 'hold');
  assert.throws(() => open(folder), new RegExp(`process ${child.process.pid} on `));
  await kill(child.process);
  await open(folder).close();
});

for (const mode of ['projects', 'checkpoints']) {
  void test(`nothing that was acknowledged is lost by kill -9: ${mode}`, async () => {
    const folder = freshFolder();
    for (let round = 0; round < 3; round++) {
      rmSync(folder, { recursive: true, force: true });
      const child = await startWriter(folder, mode);
      await child.reaches(20 + round * 17);
      await kill(child.process);
      const store = open(folder);
      const last = child.last();
      if (mode === 'projects') {
        const found = (await store.access.listProjects()).map(({ id }) => Number(id));
        assert.deepEqual(
          found.slice(0, last),
          Array.from({ length: last }, (_, index) => index + 1),
        );
      } else {
        const found = await store.checkpoints.load({ installation: 'here', task: '1', incarnation: 'first' });
        assert.ok((found?.checkpoint.sequence ?? 0) >= last);
        assert.deepEqual(found?.checkpoint.offset, { position: found?.checkpoint.sequence });
      }
      await store.close();
    }
  });
}

void test('a store of a newer disync is refused, untouched, and can be opened by the newer one afterwards', async () => {
  const folder = freshFolder();
  await open(folder).close();
  const file = join(folder, 'disync.db');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  for (let time = 0; time < 2; time++) {
    assert.throws(
      () => open(folder),
      (error: unknown) =>
        error instanceof StoreVersionError &&
        error.code === 'Store.Newer' &&
        /version 99.*knows up to \d+.*newer one/.test(error.message),
    );
  }
  const again = new DatabaseSync(file);
  assert.deepEqual({ ...again.prepare('PRAGMA user_version').get() }, { user_version: 99 });
  again.close();
});

void test('a command leaves a store of an older disync as it is while that serves it, and brings it up to date when nobody does', async () => {
  const folder = freshFolder();
  const made = makeOldStore(folder, 3);
  made.exec(`INSERT INTO project VALUES (${PROJECT}, 'p')`);
  made.close();
  const older = readStore(folder);
  const served = Lease.take(folder);
  assert.throws(
    () => open(folder, { exclusive: false }),
    (error: unknown) => {
      assert.ok(error instanceof StoreVersionError);
      assert.equal(error.code, 'Store.Older');
      assert.match(error.message, new RegExp(`has version 3, .* serving it: process ${process.pid} on `));
      return true;
    },
  );
  assert.deepEqual(readStore(folder), older);
  served.release();

  const command = open(folder, { exclusive: false });
  const service = open(folder);
  assert.equal(await service.access.projectExists(PROJECT), true);
  await Promise.all([command.close(), service.close()]);
  assert.equal(readStore(folder).version, MIGRATIONS.length);
});

void test('a step of a migration that fails leaves the store as it was before it', () => {
  const folder = freshFolder();
  const database = makeOldStore(folder, 3);
  // In the way of a table that the next step makes.
  database.exec('CREATE TABLE user (id INTEGER) STRICT');
  database.close();
  const before = readStore(folder);
  assert.throws(() => open(folder), /table user already exists/);
  assert.deepEqual(readStore(folder), before);
});

function readStore(folder: string): { version: number; schema: string } {
  const database = new DatabaseSync(join(folder, 'disync.db'), { readOnly: true });
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  const schema = JSON.stringify(database.prepare('SELECT * FROM sqlite_schema ORDER BY name').all());
  database.close();
  return { version, schema };
}

void test('another master key is noticed at start, and the former one still opens the store', async () => {
  const folder = freshFolder();
  const key = 'ab'.repeat(32);
  await open(folder, { masterKey: key }).close();
  assert.throws(
    () => open(folder, { masterKey: 'cd'.repeat(32) }),
    (error: unknown) => error instanceof MasterKeyError && /Give the former key/.test(error.message),
  );
  assert.throws(() => open(folder, { masterKey: 'too short' }), /DISYNC_MASTER_KEY must be 32 bytes/);
  await open(folder, { masterKey: Buffer.from(key, 'hex').toString('base64') }).close();
});

void test('a master key is made once, beside the store, for its owner only', async () => {
  const folder = freshFolder();
  await open(folder).close();
  const file = join(folder, '..', 'master.key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const made = readFileSync(file, 'utf8');
  await open(folder).close();
  assert.equal(readFileSync(file, 'utf8'), made);
  rmSync(file);
  assert.throws(() => open(folder), /master\.key is missing.*put it back/);
  assert.equal(existsSync(file), false);
  writeFileSync(file, made);
  await open(folder).close();
});

void test('no secret stands in a file of the store, and each comes back as it was', async () => {
  const folder = freshFolder();
  const password = 'pa55-canary-of-a-data-source';
  const secret = 'canary-of-an-access-key';
  const first = open(folder);
  await first.access.createProject(PROJECT, 'p');
  await first.access.createKey({ projects: [PROJECT], id: 'KEY', secret });
  const content = JSON.stringify({ jdbcUrl: 'jdbc:mysql://h/db', username: 'u', password });
  await first.transaction((records) =>
    records.insertDataSource({
      project: PROJECT,
      name: 'shop',
      type: 'mysql',
      subType: null,
      env: 1,
      description: '',
      content,
      maskedContent: '{"secretKey":"shown by former rules"}',
      enabled: true,
      createdAt: 1,
      modifiedAt: 1,
      operator: 'KEY',
    }),
  );
  const files = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  const found = () => files().filter((bytes) => bytes.includes(password) || bytes.includes(secret)).length;
  assert.equal(found(), 0);
  await first.close();
  assert.equal(found(), 0);
  const second = open(folder);
  assert.equal((await second.access.findKey('KEY'))?.secret, secret);
  const source = await second.transaction((records) => records.dataSourceNamed(PROJECT, 1, 'shop'));
  assert.deepEqual([source?.content, source?.maskedContent], [content, '{"secretKey":"***"}']);
  await second.close();
});

void test('a sealed secret moved to another row does not open', async () => {
  const folder = freshFolder();
  const store = open(folder);
  await store.access.createProject(PROJECT, 'p');
  await store.access.createKey({ projects: [PROJECT], id: 'STRONG', secret: 'strong' });
  await store.access.createKey({ projects: [PROJECT], id: 'WEAK', secret: 'weak' });
  await store.close();
  const database = new DatabaseSync(join(folder, 'disync.db'));
  database.exec("UPDATE access_key SET secret = (SELECT secret FROM access_key WHERE id = 'WEAK') WHERE id = 'STRONG'");
  database.close();
  const again = open(folder);
  await assert.rejects(again.access.findKey('STRONG'));
  await again.close();
});

void test('a nonce is new once, also after the store was reopened, and may come again once it has expired', async () => {
  const folder = freshFolder();
  const first = open(folder);
  const use = async (store: Store, key = 'KEY') => {
    const isNew = !store.access.isNonceUsed(key, 'n');
    await store.access.noteNonce(key, 'n', now + 1000).durable();
    return isNew;
  };
  assert.deepEqual(await Promise.all([use(first), use(first), use(first, 'OTHER')]), [true, false, true]);
  await first.close();
  const second = open(folder);
  assert.equal(await use(second), false);
  await second.close();
  now += 100_000;
  const third = open(folder);
  assert.equal(await use(third), true);
  await third.close();
});

void test('a group of nonces that cannot be written fails alone: the next ones are served again', async () => {
  const folder = freshFolder();
  const store = open(folder);
  const use = async () => {
    const isNew = !store.access.isNonceUsed('KEY', 'blocked');
    await store.access.noteNonce('KEY', 'blocked', now + 1000).durable();
    return isNew;
  };
  const blocker = new DatabaseSync(join(folder, 'calls.db'));
  blocker.exec('BEGIN IMMEDIATE');
  await assert.rejects(use(), /locked/);
  blocker.exec('ROLLBACK');
  blocker.close();
  assert.equal(await use(), true);
  await store.close();
});

void test('projects and keys: made once, listed without secrets, disabled and enabled', async () => {
  const store = open(freshFolder());
  const { access } = store;
  await access.createProject(PROJECT, 'p');
  await assert.rejects(access.createProject(PROJECT, 'q'), isTaskError('name-taken', 'Project.Exists'));
  await assert.rejects(access.createKey({ projects: [8n as ProjectId] }), isTaskError('not-found', 'Project.NotFound'));
  const key = await access.createKey({ projects: [PROJECT] });
  await assert.rejects(access.createKey({ projects: [PROJECT], id: key.id }), isTaskError('name-taken', 'Key.Exists'));
  await access.setKeyActive(key.id, false);
  assert.deepEqual(await access.listKeys(), [{ id: key.id, active: false, user: key.id, projects: [PROJECT] }]);
  await access.setKeyActive(key.id, true);
  assert.deepEqual(await access.findKey(key.id), key);
  assert.equal(await access.findKey('unknown'), null);
  await assert.rejects(access.setKeyActive('unknown', true), isTaskError('not-found', 'Key.NotFound'));
  await store.close();
});

void test('ids come back exact, and a foreign project does not see a task', async () => {
  const store = open(freshFolder());
  const project = (2n ** 63n - 1n) as ProjectId;
  const id = await store.transaction((records) =>
    records.insertTask(
      {
        project,
        name: 'n',
        type: 'DI_REALTIME',
        settings: '{}',
        folder: '',
        creator: 'KEY',
      },
      {
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
      },
    ),
  );
  const find = (owner: ProjectId, task: TaskId) => store.transaction((records) => records.task(owner, task));
  assert.deepEqual([id, (await find(project, id))?.project, await find(PROJECT, id)], [700001n, project, null]);
  await store.transaction((records) => records.deleteTask(id));
  assert.equal(await find(project, id), null);
  await store.close();
});

void test('it is writable, and then closed', async () => {
  const folder = freshFolder();
  const store = open(folder);
  assert.equal(await store.isWritable(), true);
  await store.close();
  assert.equal(await store.isWritable(), false);
  assert.ok(existsSync(join(folder, 'disync.db')));
});

function isTaskError(kind: string, code: string): (error: unknown) => boolean {
  return (error) => error instanceof TaskError && error.kind === kind && error.code === code;
}

interface Writer {
  readonly process: ChildProcess;
  /** The last number that it said is durable. */
  last(): number;
  reaches(n: number): Promise<void>;
}

async function startWriter(folder: string, mode: string): Promise<Writer> {
  const child = spawn(process.execPath, [WRITER, folder, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  assert.equal(first, 'open');
  let last = 0;
  let wake = () => {};
  lines.on('line', (line) => {
    last = Number(line);
    wake();
  });
  return {
    process: child,
    last: () => last,
    reaches: async (n) => {
      while (last < n) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}
