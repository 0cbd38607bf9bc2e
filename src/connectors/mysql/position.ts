import type { Json } from '../../lib/json-value.ts';
import type { Offset } from '../../pipeline/offset.ts';

/** A place in the binary log: between two events. */
export interface LogPosition {
  readonly file: string;
  readonly position: number;
}

/** The number of a log file: what orders files, as `binlog.1000000` comes after `binlog.999999`. */
export function fileNumber(file: string): number {
  return Number(file.slice(file.lastIndexOf('.') + 1));
}

export function fileBase(file: string): string {
  return file.slice(0, file.lastIndexOf('.'));
}

/** Negative, zero or positive as `a` is before, at or after `b`; both of one server's log. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.file === b.file ? a.position - b.position : fileNumber(a.file) - fileNumber(b.file);
}

/** Where to resume after, and enough to know that the server still has the same history. */
export interface MysqlOffset extends LogPosition {
  /** Identity of the server (server-facts.ts). */
  readonly server: string;
  /** When the file was begun, as its first event says; 0 when not known. Another file of the same name has another time. */
  readonly fileBegun: number;
  /** Row events of the transaction that begins here which were delivered already. */
  readonly skipEvents: number;
  /** Seconds since the epoch: changes before are left out, after a start at a time of the past; null otherwise. */
  readonly notBefore: number | null;
}

export function offsetToJson(offset: MysqlOffset): Offset {
  return { ...offset };
}

export function offsetFromJson(json: Offset): MysqlOffset {
  const text = (value: Json | undefined): string => {
    if (typeof value !== 'string') throw new Error('the stored offset is not one of a MySQL source');
    return value;
  };
  return {
    server: text(json['server']),
    file: text(json['file']),
    position: Number(json['position']),
    fileBegun: Number(json['fileBegun'] ?? 0),
    skipEvents: Number(json['skipEvents'] ?? 0),
    notBefore: json['notBefore'] === undefined || json['notBefore'] === null ? null : Number(json['notBefore']),
  };
}

export function describePosition({ file, position }: LogPosition): string {
  return `${file}:${position}`;
}
