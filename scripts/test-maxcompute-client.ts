// npm run test:maxcompute-client: the vendor's own Python client, unmodified, and the double of MaxCompute, in both
// directions: what the client writes must be what the double has; what our sessions write, the client must read.
import assert from 'node:assert/strict';
import { output } from './servers/packages.ts';
import { DEFAULT_HOST_POLICY } from '../src/lib/host-policy.ts';
import { fetchClient } from '../test/clients/fetch.ts';
import { writeOurs } from '../test/clients/maxcompute-ours.ts';
import { LOG_COLUMNS, LOG_PRINTED, LOG_ROWS } from '../test/clients/maxcompute-rows.ts';
import { MaxComputeDouble } from '../test/support/maxcompute/double.ts';

const CREDENTIAL = { accessId: 'id', accessKey: 'key' };
const ODD = Array.from({ length: 50 }, (_, index) => index * 2 + 1);

const { program, args, env } = await fetchClient({
  name: 'maxcompute',
  language: 'python',
  packages: [
    ['pyodps', '0.13.2'],
    // With this it reads and writes TIMESTAMP.
    ['pandas', '2.2.3'],
  ],
  program: 'maxcompute.py',
});

const double = await MaxComputeDouble.start(CREDENTIAL);
double.catalog.addProject('p');
const endpoint = `${double.url}/api`;
try {
  await client('write');
  checkTheirs();
  await writeOurs({ endpoint, credential: CREDENTIAL, hosts: DEFAULT_HOST_POLICY });
  checkOurs(await client('read'));
  double.tunnel.downloads.metrics = '{"IOTime": 1}';
  checkOurs(await client('read'));
} finally {
  await double.stop();
}
console.log('what the client wrote is what the double has; what we wrote is what the client read');

async function client(what: string): Promise<string> {
  return output(program, [...args, what, endpoint], { env: { ...process.env, ...env } });
}

function checkTheirs(): void {
  const log = double.table('projects/p/tables/log');
  assert.equal(log.lifecycle, 7);
  for (const partition of ['pt=0', 'pt=1']) assert.deepEqual(log.rows(partition), LOG_ROWS);
  assert.equal(double.table('projects/p/tables/keyed').rows().length, 60);
  assert.deepEqual(double.table('projects/p/tables/lines').rows(), [
    [0n, 'line 0', null],
    [1n, 'line 1', null],
  ]);
  assert.deepEqual(
    new Map(
      double
        .table('projects/p/tables/users')
        .rows()
        .map(([id, name]) => [Number(id), name]),
    ),
    new Map(ODD.map((id) => [id, `user ${id}`])),
  );
}

function checkOurs(printed: string): void {
  const found = JSON.parse(printed.split('\n').find((line) => line.startsWith('{')) ?? '{}') as {
    readonly users: readonly (readonly [number, string])[];
  };
  assert.deepEqual(
    { ...found, users: new Map(found.users) },
    {
      log: LOG_PRINTED.map((row) => [...row, '1']),
      lines: [
        [0, 'line 0'],
        [1, 'line 1'],
      ],
      users: new Map(ODD.map((id) => [id, `user ${id}`])),
      partitions: ["pt='1'"],
      columns: Object.entries(LOG_COLUMNS),
      key: ['id'],
      tables: ['keyed', 'lines', 'log', 'ours_lines', 'ours_log', 'ours_users', 'users'],
      // Without the types of a result, it reads texts.
      selected: LOG_PRINTED.map(([id, name]) => [String(id), name]),
      count: ODD.length,
    },
  );
}
