/** The rows of a SELECT's result behind its head; NULL, which stands without quotes as \N, is null. */
export function readCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  for (const [, quoted, bare = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\r?\n|$)/g)) {
    if (quoted === undefined && bare === '' && end === '' && row.length === 0) continue;
    row.push(quoted === undefined ? (bare === '\\N' ? null : bare) : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows.slice(1);
}
