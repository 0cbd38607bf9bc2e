import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { RogueMysql } from '../../../test/support/rogue-mysql.ts';
import { connectForQueries, connectRaw } from './connect.ts';
import { parseMysqlSettings } from './options.ts';

void describe('a server that asks for a file of ours', () => {
  const folder = mkdtempSync(join(tmpdir(), 'disync-infile-'));
  const file = join(folder, 'secret');
  writeFileSync(file, 'canary of the file');
  after(() => rmSync(folder, { recursive: true }));

  async function meet(statement: RegExp, use: (settings: ReturnType<typeof parseMysqlSettings>) => Promise<void>) {
    const rogue = await RogueMysql.start(statement, file);
    try {
      await use(
        parseMysqlSettings({ host: '127.0.0.1', port: rogue.port, username: 'u', password: '' }, DEFAULT_HOST_POLICY),
      );
      assert.deepEqual([rogue.asked, rogue.offers], [1, 0]);
      // At most the packet that ends a file, of none.
      assert.ok(['', '\0\0\0\x02'].includes(rogue.received), rogue.received);
    } finally {
      rogue.stop();
    }
  }

  void it('gets nothing when it asks in the midst of a login', () =>
    meet(/time_zone/, async (settings) => {
      await assert.rejects(connectForQueries(settings), /LOCAL INFILE/);
    }));

  void it('gets nothing when it asks in place of an answer', () =>
    meet(/SELECT 1/, async (settings) => {
      const questions = await connectForQueries(settings);
      await assert.rejects(questions.query('SELECT 1'), /LOCAL INFILE/);
      questions.close();
    }));

  void it('gets nothing on the connection of the log, and ends it', () =>
    meet(/SELECT 1/, async (settings) => {
      const raw = await connectRaw(settings);
      await assert.rejects(raw.query('SELECT 1'), { code: 'MySQL.AsksForFile', kind: 'fatal' });
      raw.close();
    }));
});
