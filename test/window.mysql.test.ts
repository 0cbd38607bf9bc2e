import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startServer } from '../scripts/servers/servers.ts';
import { FAMILIES } from './support/servers.ts';
import { METHODS, semiSyncServerSettings, windowRound } from './support/window-campaign.ts';

for (const family of FAMILIES) {
  void describe(`a load under 16 writers, on ${family}`, () => {
    void it('gives no row that is older than the stream’s, also while commits wait for a late acknowledgement (A23, A25, A26, A27, B8)', async (t) => {
      const seed = Date.now() % 1_000_000;
      t.diagnostic(`seed ${seed}`);
      const server = await startServer(family, semiSyncServerSettings(family));
      try {
        const [method] = METHODS[family];
        assert.ok(method !== undefined);
        for (const semiSync of [false, true]) {
          const round = { method, syncBinlog: semiSync ? 1 : 0, semiSync } as const;
          const { findings, changes } = await windowRound({ ...server, kind: family }, round, seed);
          assert.deepEqual(findings, []);
          assert.ok(changes > 100);
        }
      } finally {
        await server.stop();
      }
    });
  });
}
