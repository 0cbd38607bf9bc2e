import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { commonType } from './compare.ts';
import type { Evaluated } from './evaluate.ts';
import { SqlFailure } from './sql-failure.ts';

type SqlFunction = (args: readonly Evaluated[]) => Evaluated;

/** The functions that are served, by their names. Errors of all: SqlFailure for arguments of other types or numbers. */
export const FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  coalesce: firstThatIs,
  nvl: firstThatIs,
  concat: (args) => ofTexts(args, (texts) => texts.join('')),
  length: ([of]) => {
    const inner = text(of);
    return { type: { kind: 'bigint' }, of: (row) => lengthOf(inner.of(row)) };
  },
  lpad: ([of, size, fill]) => {
    const [inner, filling] = [text(of), text(fill)];
    if (size === undefined) return missing();
    return {
      type: { kind: 'string' },
      of: (row) => {
        const [value, length, pad] = [inner.of(row), size.of(row), filling.of(row)];
        if (value === null || length === null || pad === null) return null;
        return (value as string).padStart(Number(length), pad as string).slice(0, Number(length));
      },
    };
  },
};

function firstThatIs(args: readonly Evaluated[]): Evaluated {
  const type = args.map((arg) => arg.type).reduce(commonType);
  return {
    type,
    of: (row) => {
      for (const arg of args) {
        const value = arg.of(row);
        if (value !== null) return value;
      }
      return null;
    },
  };
}

function ofTexts(args: readonly Evaluated[], join: (texts: readonly string[]) => string): Evaluated {
  const inner = args.map(text);
  return {
    type: { kind: 'string' },
    of: (row) => {
      const values = inner.map((one) => one.of(row));
      return values.includes(null) ? null : join(values as string[]);
    },
  };
}

function text(arg: Evaluated | undefined): Evaluated {
  if (arg === undefined) return missing();
  if (arg.type !== null && !['string', 'varchar', 'char'].includes(arg.type.kind))
    throw SqlFailure.semantic(`${arg.type.kind} where STRING is wanted`);
  return arg;
}

function lengthOf(value: RowValue): RowValue {
  return value === null ? null : BigInt(Array.from(value as string).length);
}

function missing(): never {
  throw SqlFailure.semantic('a function wants more arguments');
}
