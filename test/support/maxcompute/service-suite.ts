import assert from 'node:assert/strict';
import {
  partitionsOf,
  projectExists,
  tunnelEndpoint,
} from '../../../src/connectors/maxcompute/protocol/project-facts.ts';
import { ServiceClient, type ServiceSettings } from '../../../src/connectors/maxcompute/protocol/service-client.ts';
import { ServiceError } from '../../../src/connectors/maxcompute/protocol/service-error.ts';
import { runSql } from '../../../src/connectors/maxcompute/protocol/sql-instance.ts';
import { StreamSession } from '../../../src/connectors/maxcompute/protocol/stream-session.ts';
import { tableFacts } from '../../../src/connectors/maxcompute/protocol/table-facts.ts';
import type { TunnelTarget } from '../../../src/connectors/maxcompute/protocol/tunnel-target.ts';
import { UploadSession, uploadStateOf } from '../../../src/connectors/maxcompute/protocol/upload-session.ts';
import { UpsertSession, upsertStateOf } from '../../../src/connectors/maxcompute/protocol/upsert-session.ts';
import { readCsv } from './read-csv.ts';
import { packRows, writeChanges } from './write-rows.ts';

/** Where a suite works: the service, a double of it, or whatever speaks its protocol. */
export interface SuiteSettings extends ServiceSettings {
  readonly project: string;
  /** The middle one of three names. */
  readonly schema?: string;
  /** Tables of the suite begin with it; they are dropped again. */
  readonly prefix: string;
}

/** What stands in a sentence of the suite; `note` says what was seen of what nobody promised. */
export interface Step {
  readonly name: string;
  readonly run: (place: SuitePlace, note: (text: string) => void) => Promise<void>;
}

/** The clients of a suite, and the tables that it makes. */
export class SuitePlace {
  readonly service: ServiceClient;
  readonly tunnel: ServiceClient;
  readonly #settings: SuiteSettings;
  readonly #made: string[] = [];

  private constructor(settings: SuiteSettings, tunnel: string) {
    this.#settings = settings;
    this.service = new ServiceClient(settings);
    this.tunnel = new ServiceClient({ ...settings, endpoint: tunnel });
  }

  static async open(settings: SuiteSettings): Promise<SuitePlace> {
    const service = new ServiceClient(settings);
    try {
      return new SuitePlace(settings, await tunnelEndpoint(service, settings.project));
    } finally {
      service.close();
    }
  }

  get project(): string {
    return this.#settings.project;
  }

  target(table: string, partition?: string): TunnelTarget {
    const { project, schema, prefix } = this.#settings;
    return {
      project,
      table: `${prefix}_${table}`,
      ...(schema === undefined ? {} : { schema }),
      ...(partition === undefined ? {} : { partition }),
    };
  }

  /** Runs a statement in which `{table}` stands for a table of the suite; instants are shown in UTC. */
  async sql(query: string): Promise<(string | null)[][]> {
    const { project, schema, prefix } = this.#settings;
    const named = query.replace(/\{(\w+)\}/g, (_whole, table: string) => `${prefix}_${table}`);
    const [, made] = /^CREATE TABLE (\w+)/.exec(named) ?? [];
    if (made !== undefined) this.#made.push(made);
    const where = schema === undefined ? {} : { schema };
    return readCsv(
      await runSql(this.service, { project, ...where, query: named, settings: { 'odps.sql.timezone': 'UTC' } }),
    );
  }

  /** Drops the tables. */
  async close(): Promise<void> {
    for (const table of this.#made) await this.sql(`DROP TABLE IF EXISTS ${table}`);
    this.service.close();
    this.tunnel.close();
  }
}

const DELTA = `TBLPROPERTIES ('transactional'='true', 'write.bucket.num'='4')`;

/** In this order; each may use the tables of those before. */
export const SERVICE_SUITE: readonly Step[] = [
  {
    name: 'the project is there, and one of another name is not',
    async run(place) {
      assert.equal(await projectExists(place.service, place.project), true);
      assert.equal(await projectExists(place.service, `${place.project}_that_is_not_there`), false);
    },
  },
  {
    name: 'tables that statements made are what they said',
    async run(place) {
      await place.sql(`CREATE TABLE {log} (id BIGINT, name STRING, tiny TINYINT, amount DECIMAL(20,4), day DATE, at DATETIME,
        ts TIMESTAMP, share DOUBLE, ok BOOLEAN) PARTITIONED BY (pt STRING, region STRING) LIFECYCLE 1`);
      await place.sql(`CREATE TABLE {users} (id BIGINT NOT NULL, name STRING, PRIMARY KEY (id)) ${DELTA} LIFECYCLE 1`);
      const log = await tableFacts(place.service, place.target('log'));
      assert.deepEqual(
        log?.columns.map(({ name, type }) => `${name} ${type.kind}`),
        [
          'id bigint',
          'name string',
          'tiny tinyint',
          'amount decimal',
          'day date',
          'at datetime',
          'ts timestamp',
          'share double',
          'ok boolean',
        ],
      );
      assert.deepEqual(log.partitionColumns, ['pt', 'region']);
      assert.deepEqual((await tableFacts(place.service, place.target('users')))?.primaryKey, ['id']);
      assert.equal(await tableFacts(place.service, place.target('nowhere')), null);
    },
  },
  {
    name: 'blocks, packed and not, are there after the commit and not before, each as it was sent last',
    async run(place) {
      const target = place.target('log', 'pt=20240101,region=eu');
      const session = await UploadSession.begin(place.tunnel, target, { overwrite: false, createPartition: true });
      const write = async (block: number, id: bigint, compression: 'none' | 'deflate') =>
        session.writeBlock(block, await packRows(session.columns, [rowOf(id)], compression), compression);
      await write(0, 9n, 'none');
      await write(0, 1n, 'none');
      await write(7, 2n, 'deflate');
      assert.deepEqual(await place.sql("SELECT COUNT(*) FROM {log} WHERE pt='20240101'"), [['0']]);
      assert.equal(await session.commit(), 'committed');
      assert.equal(await uploadStateOf(place.tunnel, target, session.id), 'committed');
      assert.deepEqual(sorted(await place.sql("SELECT * FROM {log} WHERE pt='20240101'")), [shown('1'), shown('2')]);
      assert.deepEqual(await partitionsOf(place.service, target), ['pt=20240101,region=eu']);
    },
  },
  {
    name: 'an upload that overwrites leaves nothing of what was there',
    async run(place) {
      const target = place.target('log', 'pt=20240101,region=eu');
      const session = await UploadSession.begin(place.tunnel, target, { overwrite: true, createPartition: false });
      await session.writeBlock(0, await packRows(session.columns, [rowOf(3n)], 'none'), 'none');
      assert.equal(await session.commit(), 'committed');
      assert.deepEqual(await place.sql("SELECT * FROM {log} WHERE pt='20240101'"), [shown('3')]);
    },
  },
  {
    name: 'a second commit of an upload changes nothing',
    async run(place, note) {
      const target = place.target('log', 'pt=20240101,region=eu');
      const session = await UploadSession.begin(place.tunnel, target, { overwrite: false, createPartition: false });
      await session.writeBlock(0, await packRows(session.columns, [rowOf(4n)], 'none'), 'none');
      assert.equal(await session.commit(), 'committed');
      note(`it said ${await session.commit().catch(codeOf)}`);
      assert.deepEqual(await place.sql("SELECT COUNT(*) FROM {log} WHERE pt='20240101'"), [['2']]);
    },
  },
  {
    name: 'upserts and deletes are there after the commit, each key as it was last',
    async run(place) {
      const target = place.target('users');
      const session = await UpsertSession.begin(place.tunnel, target);
      const all = Array.from({ length: 40 }, (_, id) => ({ id, rest: [`user ${id}`] }));
      await writeChanges(session, [...all, { id: 1, rest: ['again'] }, { id: 2, rest: null }], 'deflate');
      assert.deepEqual(await place.sql('SELECT COUNT(*) FROM {users}'), [['0']]);
      assert.equal(await upsertStateOf(place.tunnel, target, session.id), 'open');
      assert.equal(await session.commit(), 'committed');
      const wanted = all.filter(({ id }) => id !== 2).map(({ id, rest }) => [String(id), id === 1 ? 'again' : rest[0]]);
      assert.deepEqual(sorted(await place.sql('SELECT id, name FROM {users}')), sorted(wanted));
    },
  },
  {
    name: 'the same changes once more leave the table as it is',
    async run(place, note) {
      const target = place.target('users');
      const before = sorted(await place.sql('SELECT id, name FROM {users}'));
      const session = await UpsertSession.begin(place.tunnel, target);
      await writeChanges(
        session,
        [
          { id: 1, rest: ['again'] },
          { id: 2, rest: null },
        ],
        'none',
      );
      assert.equal(await session.commit(), 'committed');
      assert.deepEqual(sorted(await place.sql('SELECT id, name FROM {users}')), before);
      note(`a committed session is ${await upsertStateOf(place.tunnel, target, session.id)}`);
    },
  },
  {
    name: 'an upsert session that was given up leaves nothing',
    async run(place, note) {
      const target = place.target('users');
      const session = await UpsertSession.begin(place.tunnel, target);
      await writeChanges(session, [{ id: 1000, rest: ['never'] }], 'none');
      await session.abort();
      note(`it is ${await upsertStateOf(place.tunnel, target, session.id)}`);
      assert.deepEqual(await place.sql('SELECT COUNT(*) FROM {users}'), [['39']]);
    },
  },
  {
    name: 'an added column is behind the others, and NULL in the rows that were there',
    async run(place) {
      await place.sql('ALTER TABLE {users} ADD COLUMNS (more STRING)');
      const session = await UpsertSession.begin(place.tunnel, place.target('users'));
      await writeChanges(session, [{ id: 3, rest: ['three', 'more'] }], 'none');
      assert.equal(await session.commit(), 'committed');
      const rows = (await place.sql('SELECT id, name, more FROM {users}')).filter(([id]) => id === '3' || id === '4');
      assert.deepEqual(sorted(rows), [
        ['3', 'three', 'more'],
        ['4', 'user 4', null],
      ]);
    },
  },
  {
    name: 'refusals have the codes that decide what is done about them',
    async run(place, note) {
      const begin = (target: TunnelTarget) =>
        UploadSession.begin(place.tunnel, target, { overwrite: false, createPartition: false });
      const keyless = place.target('log', 'pt=20240101,region=eu');
      note(`no table: ${await refusalOf(begin(place.target('nowhere')))}`);
      note(`no partition: ${await refusalOf(begin(place.target('log', 'pt=none,region=none')))}`);
      note(`partition left out: ${await refusalOf(begin(place.target('log')))}`);
      note(`upsert without a key: ${await refusalOf(UpsertSession.begin(place.tunnel, keyless))}`);
      await assert.rejects(place.sql('SELECT * FROM {nowhere}'), { code: 'ODPS-0130131' });
      await assert.rejects(place.sql('SELEKT 1'), { code: 'ODPS-0130161' });
    },
  },
  {
    name: 'rows that were streamed are there at once, where streams are served',
    async run(place, note) {
      await place.sql('CREATE TABLE {lines} (id BIGINT, name STRING) LIFECYCLE 1');
      const target = place.target('lines');
      const session = await StreamSession.begin(place.tunnel, target, { createPartition: false }).catch(codeOf);
      if (typeof session === 'string') return note(`streams are not served: ${session}`);
      const packed = await packRows(session.columns, [[1n, 'line']], 'deflate');
      await session.write({ rows: 1, packed, compression: 'deflate' });
      assert.deepEqual(await place.sql('SELECT id, name FROM {lines}'), [['1', 'line']]);
    },
  },
];

/** A row of `{log}`, and as SELECT shows it. */
function rowOf(id: bigint) {
  const instant = { seconds: 1_704_067_199n, nanos: 123_456_789 };
  return [id, '第 "1",\n2', -128n, '-1234567890123456.7891', 19_722n, 1_704_067_199_123n, instant, 0.25, true];
}

function shown(id: string): (string | null)[] {
  return [
    id,
    '第 "1",\n2',
    '-128',
    '-1234567890123456.7891',
    '2023-12-31',
    '2023-12-31 23:59:59.123',
    '2023-12-31 23:59:59.123456789',
    '0.25',
    'true',
    '20240101',
    'eu',
  ];
}

function sorted<T extends readonly unknown[]>(rows: readonly T[]): T[] {
  return rows.toSorted(([a], [b]) => Number(a) - Number(b));
}

function codeOf(error: unknown): string {
  if (error instanceof ServiceError) return `${error.status} ${error.code}`;
  throw error;
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const answer = await work.catch(codeOf);
  assert.ok(typeof answer === 'string', 'it was not refused');
  return answer;
}
