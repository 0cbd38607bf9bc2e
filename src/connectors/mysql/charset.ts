/** Character sets whose bytes are UTF-8 already. */
const UTF8 = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

/** MySQL's names → those of the Encoding standard. latin1 is windows-1252, as the server itself treats it. */
const LABELS: Readonly<Record<string, string>> = {
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin5: 'windows-1254',
  latin7: 'iso-8859-13',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  cp866: 'ibm866',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  tis620: 'windows-874',
  gbk: 'gbk',
  gb2312: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  euckr: 'euc-kr',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
  ujis: 'euc-jp',
  eucjpms: 'euc-jp',
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
};

/** Turns bytes of a column's character set into UTF-8; null where they are UTF-8 already. */
export type ToUtf8 = ((bytes: Buffer) => Buffer) | null;

/** Undefined for a character set that we cannot read. */
export function decoderOf(charset: string): ToUtf8 | undefined {
  if (UTF8.has(charset)) return null;
  const label = LABELS[charset];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label);
  return (bytes) => Buffer.from(decoder.decode(bytes), 'utf8');
}
