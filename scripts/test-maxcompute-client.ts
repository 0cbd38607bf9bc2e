// npm run test:maxcompute-client: the vendor's own Python client, unmodified, uploads to the double of MaxCompute's tunnel:
// that it accepts what the double says, and the double what it sends, is what makes the double worth believing.
import assert from 'node:assert/strict';
import { output } from './servers/packages.ts';
import { fetchClient } from '../test/clients/fetch.ts';
import { MaxComputeDouble } from '../test/support/maxcompute/double.ts';
import { DoubleTable } from '../test/support/maxcompute/tables.ts';

const { program, args, env } = await fetchClient({
  name: 'maxcompute',
  language: 'python',
  packages: [['pyodps', '0.13.2']],
  program: 'maxcompute.py',
});

const double = await MaxComputeDouble.start({ accessId: 'id', accessKey: 'key' });
const log = double.add(
  'projects/p/tables/log',
  new DoubleTable('log', {
    columns: [
      { name: 'id', type: { kind: 'bigint' } },
      { name: 'name', type: { kind: 'string' } },
      { name: 'share', type: { kind: 'double' } },
      { name: 'ok', type: { kind: 'boolean' } },
    ],
    partitionColumns: ['pt'],
  }),
);
const users = double.add(
  'projects/p/tables/users',
  new DoubleTable('users', {
    columns: [
      { name: 'id', type: { kind: 'bigint' } },
      { name: 'name', type: { kind: 'string' } },
    ],
    key: ['id'],
  }),
);
try {
  await output(program, [...args, `${double.url}/api`], { env: { ...process.env, ...env } });
} finally {
  await double.stop();
}

const uploaded = [0, 1, 2].map((row) => [BigInt(row - 1), `第 ${row}`, row / 4, row > 1]);
for (const partition of ['pt=0', 'pt=1']) assert.deepEqual(log.rows(partition), uploaded);
const odd = Array.from({ length: 50 }, (_, index) => index * 2 + 1);
assert.deepEqual(
  new Map(users.rows().map(([id, name]) => [Number(id), name])),
  new Map(odd.map((id) => [id, `user ${id}`])),
);
console.log('what the client uploaded and upserted is what the double has');
