import type { Cursor } from './cursor.ts';

/** PARTITION (pt='1', region='cn'); null if there is none. */
export function parsePartition(cursor: Cursor): ReadonlyMap<string, string> | null {
  if (!cursor.takes('PARTITION')) return null;
  return new Map(
    cursor.list(() => {
      const level = cursor.name();
      cursor.expect('=');
      return [level, cursor.next.kind === 'number' ? cursor.number() : cursor.text()] as const;
    }),
  );
}
