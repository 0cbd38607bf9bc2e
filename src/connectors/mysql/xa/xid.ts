import { Cursor } from '../protocol/lenenc.ts';

/** What a statement of the log does to an XA transaction, and to which: `xid` as `xidText` gives it. */
export interface XaStatement {
  readonly does: 'start' | 'commit' | 'rollback';
  readonly xid: string;
}

const STATEMENT = /^XA (START|COMMIT|ROLLBACK) X'([0-9a-f]*)',X'([0-9a-f]*)',(\d+)/i;

/** Both families log these statements in one way, whatever the client wrote; null for every other statement. */
export function readXaStatement(sql: string): XaStatement | null {
  const match = STATEMENT.exec(sql);
  if (match === null) return null;
  const [, word = '', global = '', branch = '', format = ''] = match;
  return { does: word.toLowerCase() as XaStatement['does'], xid: xidText(global, branch, format) };
}

/**
 * XA_PREPARE_LOG_EVENT: [ one phase 1 ][ format 4 ][ length 4 ][ length 4 ][ global id ][ branch id ]
 * Errors: CorruptEvent. Source: MySQL Server source documentation; MariaDB writes the same.
 */
export function readXaPrepare(buffer: Buffer, start: number, end: number): { xid: string; onePhase: boolean } {
  const cursor = new Cursor(buffer, start, end);
  const onePhase = cursor.byte() !== 0;
  const format = cursor.uint(4) | 0;
  const globalBytes = cursor.uint(4);
  const branchBytes = cursor.uint(4);
  const global = cursor.bytes(globalBytes).toString('hex');
  return { xid: xidText(global, cursor.bytes(branchBytes).toString('hex'), String(format)), onePhase };
}

function xidText(globalHex: string, branchHex: string, format: string): string {
  return `X'${globalHex.toLowerCase()}',X'${branchHex.toLowerCase()}',${format}`;
}
