import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import {
  type BoundsResult,
  isWithinBounds,
  largeRows,
  largeTransaction,
  lockedTarget,
  manyTables,
} from '../support/bounds-campaign.ts';
import { FAMILIES, sharedServer, type TestServer } from '../support/servers.ts';

/** A run is given little, so that what is large for it is not large for the machine. */
const CAP_MIB = 256;

void describe('within the memory that a run may take', () => {
  const sources = new Map<string, TestServer>();
  let target: TestServer;
  before(async () => {
    target = await sharedServer('postgres');
    for (const family of FAMILIES) sources.set(family, await sharedServer(family));
  });

  const optionsOf = (family: string) => {
    const source = sources.get(family);
    if (source === undefined) throw new Error('no server');
    return { source, target, capMiB: CAP_MIB };
  };
  const check = (result: BoundsResult) => assert.ok(isWithinBounds(result), JSON.stringify(result));

  for (const family of FAMILIES) {
    void it(`rows of 20 MB of ${family} are loaded and streamed, text and bytes`, async () => {
      check(await largeRows(optionsOf(family), 20));
    });
  }

  void it('a transaction of 64 MB is committed in pieces', async () => {
    check(await largeTransaction(optionsOf('mysql'), { megabytes: 64, packed: false }));
  });

  void it('the source waits while the target does not answer, and nothing is lost', async () => {
    check(await lockedTarget({ ...optionsOf('mysql'), seed: 1 }, 4));
  });

  void it('a hundred tables are loaded, and changed in one transaction', async () => {
    check(await manyTables(optionsOf('mariadb'), 100));
  });
});
