import { decodeAscii } from './ascii.ts';
import { CharacterTable } from './character-table.ts';
import { decodeUnits } from './unicode-units.ts';

/** Turns bytes of a column's character set into UTF-8; null where they are UTF-8 already. */
export type ToUtf8 = ((bytes: Buffer) => Buffer) | null;

/** Character sets whose bytes are UTF-8 already. */
const UTF8 = new Set(['utf8mb4', 'utf8mb3', 'utf8']);

const BY_RULE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  ascii: decodeAscii,
  ucs2: decodeUnits(2, 'big', 'none'),
  utf16: decodeUnits(2, 'big', 'surrogates'),
  utf16le: decodeUnits(2, 'little', 'surrogates'),
  utf32: decodeUnits(4, 'big', 'none'),
};

const known = new Map<string, ToUtf8 | undefined>();

/**
 * How text of a character set becomes UTF-8, exactly as the server itself converts it when it answers a SELECT.
 * Undefined for a character set that no server has which we know.
 */
export function decoderOf(charset: string): ToUtf8 | undefined {
  if (UTF8.has(charset)) return null;
  if (!known.has(charset)) known.set(charset, BY_RULE[charset] ?? CharacterTable.of(charset)?.decode);
  return known.get(charset);
}
