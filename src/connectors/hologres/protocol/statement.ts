import type { SendBuffer } from './send-buffer.ts';

/** One statement of a run: its text, and where its parameters or its COPY data come from when it is sent. */
export interface Statement {
  readonly text: string;
  /** The oids of its parameters. */
  readonly types: readonly number[];
  /** Kept prepared by the session: for texts that come again. */
  readonly prepared: boolean;
  /** Writes one value per type, each `int32 length, -1 is null | bytes in binary format`. */
  readonly parameters?: (out: SendBuffer) => void;
  /** COPY data: writes some CopyData messages; false when that was the last. */
  readonly copy?: (out: SendBuffer) => boolean;
}

const TEXT_OID = 25;

/** A statement without parameters. */
export function plain(text: string, prepared = false): Statement {
  return { text, types: [], prepared };
}

/** A statement whose parameters are texts; each says in SQL what it is to become. */
export function withTexts(text: string, values: readonly (string | null)[]): Statement {
  return {
    text,
    types: values.map(() => TEXT_OID),
    prepared: true,
    parameters: (out) => {
      for (const value of values) writeText(out, value);
    },
  };
}

/** A statement whose parameters are arrays of texts. */
export function withTextArrays(text: string, arrays: readonly (readonly (string | null)[])[]): Statement {
  return {
    text,
    types: arrays.map(() => 1009),
    prepared: true,
    parameters: (out) => {
      for (const values of arrays) {
        const start = beginArray(out, TEXT_OID, values.length);
        for (const value of values) writeText(out, value);
        endValue(out, start);
      }
    },
  };
}

/*
 * A binary array, after the value's length:
 *
 *   int32 dimensions (1) | int32 has nulls | int32 element oid | int32 elements | int32 lower bound (1) | elements × value
 */

/** Begins an array value; its elements follow, then `endValue`. */
export function beginArray(out: SendBuffer, elementOid: number, elements: number): number {
  const start = out.at;
  out.int32(0);
  out.int32(elements === 0 ? 0 : 1);
  out.int32(1);
  out.int32(elementOid);
  if (elements > 0) {
    out.int32(elements);
    out.int32(1);
  }
  return start;
}

export function endValue(out: SendBuffer, start: number): void {
  out.view.setInt32(start, out.since(start) - 4);
}

function writeText(out: SendBuffer, value: string | null): void {
  if (value === null) {
    out.int32(-1);
    return;
  }
  const length = Buffer.byteLength(value);
  const at = out.need(4 + length);
  out.view.setInt32(at, length);
  out.bytes.write(value, at + 4);
  out.at = at + 4 + length;
}
