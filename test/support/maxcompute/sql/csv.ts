import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { valueText } from './value-text.ts';

/** The result of a SELECT: names, then rows; texts in quotes, NULL is \N. */
export function csvOf(
  names: readonly string[],
  types: readonly ColumnType[],
  rows: readonly (readonly RowValue[])[],
): string {
  const cell = (value: RowValue, index: number) => {
    const type = types[index] ?? { kind: 'string' };
    const text = valueText(type, value);
    if (text === null) return '\\N';
    return ['string', 'char', 'varchar', 'json', 'binary'].includes(type.kind) || /[",\n]/.test(text)
      ? quoted(text)
      : text;
  };
  return [names.map(quoted), ...rows.map((row) => row.map(cell))].map((row) => `${row.join()}\n`).join('');
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
