import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors } from '../../../../test/support/maxcompute/vectors.ts';
import { canonicalText, type Credential, signatureHeaders } from './sign-request.ts';

interface Case {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly params: readonly [string, string][];
  readonly signed_headers: Readonly<Record<string, string>>;
  readonly region: string | null;
  readonly canonical_string: string;
  readonly authorization: string;
}

interface Vectors {
  readonly access_id: string;
  readonly access_key: string;
  readonly date_header: string;
  readonly cases: readonly Case[];
  readonly special_values: readonly Case[];
  readonly disputed_values: readonly Case[];
  readonly sts: Omit<Case, 'signed_headers'> & {
    readonly access_id: string;
    readonly access_key: string;
    readonly token: string;
    readonly date: string;
    readonly extra_header: Readonly<Record<string, string>>;
  };
}

const vectors = readVectors<Vectors>('maxcompute-auth.json');
const at = new Date(vectors.date_header);

for (const each of [...vectors.cases, ...vectors.special_values, ...vectors.disputed_values]) {
  void test(`the request ${each.name} is signed as the vector has it`, () => {
    const request = { ...each, headers: each.signed_headers };
    const credential: Credential = {
      accessId: vectors.access_id,
      accessKey: vectors.access_key,
      ...(each.region === null ? {} : { region: each.region }),
    };
    assert.equal(canonicalText(request), each.canonical_string);
    assert.deepEqual(signatureHeaders(request, credential, at), { Authorization: each.authorization });
  });
}

void test('temporary keys sign like others and send their token beside', () => {
  const { sts } = vectors;
  const request = { ...sts, headers: { date: sts.date } };
  const credential = { accessId: sts.access_id, accessKey: sts.access_key, securityToken: sts.token };
  assert.deepEqual(signatureHeaders(request, credential, new Date(sts.date)), {
    Authorization: sts.authorization,
    ...sts.extra_header,
  });
});
