import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors, type StreamCase } from '../../../../test/support/maxcompute/vectors.ts';
import { type Compression, compress, decompress } from './compression.ts';

interface Vectors {
  readonly cases: readonly StreamCase[];
  readonly compression: readonly {
    readonly content_encoding: string;
    readonly of_case: string;
    readonly compressed_hex: string;
  }[];
}

const { cases, compression } = readVectors<Vectors>('maxcompute-tunnel.json');
const BYTES_MAX = 1 << 20;

for (const encoding of ['deflate', 'zstd'] as const satisfies readonly Compression[]) {
  const vector = compression.find((each) => each.content_encoding === encoding);
  const plain = cases.find(({ name }) => name === vector?.of_case)?.payload_hex ?? '';

  void test(`what the vendor's clients packed with ${encoding} is unpacked`, async () => {
    const packed = Buffer.from(vector?.compressed_hex ?? '', 'hex');
    assert.equal(Buffer.from(await decompress(packed, encoding, BYTES_MAX)).toString('hex'), plain);
  });

  void test(`what was packed with ${encoding} is unpacked, but not beyond the limit`, async () => {
    const packed = await compress(Buffer.from(plain, 'hex'), encoding);
    assert.equal(Buffer.from(await decompress(packed, encoding, BYTES_MAX)).toString('hex'), plain);
    await assert.rejects(decompress(packed, encoding, 100), { code: 'ERR_BUFFER_TOO_LARGE' });
  });
}
