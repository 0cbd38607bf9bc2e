// A stand-in for MaxCompute in a process of its own that costs as little as it can: it is the double of the tests, but the rows of
// blocks are counted and thrown away. Signatures are checked and bodies unpacked of all calls; CRCs, types and buckets of every
// fiftieth block only, so that what is measured is not the judge.
import { MaxComputeDouble } from '../../test/support/maxcompute/double.ts';
import { CREDENTIAL, PROJECT, type TunnelFigures } from './tunnel-facts.ts';

const CHECKED_EVERY = 50;
/** In front of the number of rows, at the end of a row stream. */
const COUNT_TAG = Buffer.from([0xf0, 0xff, 0xff, 0x7f]);
const FOOTER_BYTES_MAX = 32;

const double = await MaxComputeDouble.start(CREDENTIAL);
double.catalog.addProject(PROJECT);
const { uploads, upserts } = double.tunnel;
const rows: Record<string, number> = {};
const stored = new Map<string, number>();
let bytes = 0;
let blocks = 0;

function take(id: string, body: Uint8Array, check: () => void): void {
  bytes += body.length;
  blocks += 1;
  stored.set(id, (stored.get(id) ?? 0) + countOf(body));
  if (blocks % CHECKED_EVERY === 1) check();
}

function commit(id: string, table: string): void {
  const count = stored.get(id) ?? 0;
  stored.delete(id);
  rows[table] = (rows[table] ?? 0) + count;
}

const put = uploads.put.bind(uploads);
uploads.put = (table, params, body) => {
  take(params.get('uploadid') ?? '', body, () => put(table, params, body));
  put(table, params, EMPTY);
};
const commitUpload = uploads.commit.bind(uploads);
uploads.commit = (table, params) => {
  const reply = commitUpload(table, params);
  table.truncate();
  commit(params.get('uploadid') ?? '', table.name);
  return reply;
};
const upsert = upserts.put.bind(upserts);
upserts.put = (table, params, sent) => {
  const { body } = sent;
  const whole = new URLSearchParams(params);
  take(params.get('upsertid') ?? '', body, () => void upsert(table, params, sent));
  whole.set('record_count', '0');
  return upsert(table, whole, { ...sent, body: EMPTY });
};
const commitUpsert = upserts.commit.bind(upserts);
upserts.commit = (table, params) => {
  const reply = commitUpsert(table, params);
  table.truncate();
  commit(params.get('upsertid') ?? '', table.name);
  return reply;
};

/** A row stream without rows. */
const EMPTY = Buffer.from('f0ffff7f00f8ffff7f00', 'hex');

function countOf(body: Uint8Array): number {
  const tail = Buffer.from(body.subarray(Math.max(0, body.length - FOOTER_BYTES_MAX)));
  let at = tail.lastIndexOf(COUNT_TAG) + COUNT_TAG.length;
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = tail[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value / 2;
  }
}

process.on('message', () => process.send?.({ url: double.url, rows, bytes, blocks } satisfies TunnelFigures));
process.send?.({ url: double.url, rows, bytes, blocks } satisfies TunnelFigures);
