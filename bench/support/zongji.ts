import ZongJi from '@vlasky/zongji';
import { asMysqlSettings } from '../../src/connectors/mysql/options.ts';
import type { DecodeOrder } from './decode-process.ts';

interface ZongjiRows {
  getTypeName(): string;
  readonly rows?: readonly unknown[];
}

/** The reference: the usual reader of npm, each row change through JSON.stringify. */
export async function readByZongji({
  settings,
  offset,
  changes,
}: DecodeOrder): Promise<{ rows: number; bytes: number }> {
  const { host, port, user, password } = asMysqlSettings(settings);
  const zongji = new ZongJi({ host, port, user, password });
  let rows = 0;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    zongji.on('error', reject);
    zongji.on('binlog', (event: unknown) => {
      for (const row of (event as ZongjiRows).rows ?? []) {
        bytes += Buffer.from(JSON.stringify(row)).length;
        rows += 1;
      }
      if (rows >= changes) resolve();
    });
    zongji.start({
      filename: String(offset['file'] as string),
      position: Number(offset['position']),
      serverId: 4243,
      includeEvents: ['tablemap', 'writerows', 'updaterows', 'deleterows'],
    });
  });
  zongji.stop();
  return { rows, bytes };
}
