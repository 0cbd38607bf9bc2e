import type { Json } from '../../../lib/json-value.ts';
import type { Offset } from '../../../pipeline/offset.ts';

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
  /** Grows whenever positions are of another log than before. */
  readonly epoch: number;
  /** When the file was begun, as its first event says; 0 when not known. Another file of the same name has another time. */
  readonly fileBegun: number;
  /** Row events of the transaction that begins here which were delivered already. */
  readonly skipEvents: number;
  /** Seconds since the epoch: changes before are left out, after a start at a time of the past; null otherwise. */
  readonly notBefore: number | null;
  /** Where reading begins anew: before the oldest XA transaction without outcome. null: at the offset itself. */
  readonly readFrom: KnownPlace | null;
  /** All transactions that were passed: MySQL's as a set, MariaDB's as a position; null where they are not known. */
  readonly gtids: string | null;
  /** The last of them, where it is known when it was committed first. */
  readonly last: PassedLast | null;
  /** Only the ids say what was passed: in the log of this server some of them are still ahead. */
  readonly onlyGtids: boolean;
}

/** A transaction of MySQL, and when it was committed at the server that wrote it first, microseconds since the epoch. */
export interface PassedLast {
  readonly gtid: string;
  readonly originMicros: number;
}

/** A place in the log, and what was passed there; null where that is not known. */
export interface KnownPlace extends LogPosition {
  readonly gtids: string | null;
}

export function offsetToJson({ readFrom, gtids, last, onlyGtids, ...others }: MysqlOffset): Offset {
  return {
    ...others,
    ...(readFrom === null
      ? {}
      : {
          readFrom: {
            file: readFrom.file,
            position: readFrom.position,
            ...(readFrom.gtids === null ? {} : { gtids: readFrom.gtids }),
          },
        }),
    ...(gtids === null ? {} : { gtids }),
    ...(last === null ? {} : { last: { gtid: last.gtid, originMicros: last.originMicros } }),
    ...(onlyGtids ? { onlyGtids } : {}),
  };
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
    epoch: Number(json['epoch'] ?? 0),
    fileBegun: Number(json['fileBegun'] ?? 0),
    skipEvents: Number(json['skipEvents'] ?? 0),
    readFrom: placeFromJson(json['readFrom']),
    gtids: gtidsFromJson(json['gtids']),
    last: lastFromJson(json['last']),
    onlyGtids: json['onlyGtids'] === true,
    notBefore: json['notBefore'] === undefined || json['notBefore'] === null ? null : Number(json['notBefore']),
  };
}

function placeFromJson(json: Json | undefined): KnownPlace | null {
  if (json === undefined || json === null || typeof json !== 'object' || Array.isArray(json)) return null;
  const { file, position, gtids } = json as { file?: Json; position?: Json; gtids?: Json };
  return typeof file === 'string' ? { file, position: Number(position), gtids: gtidsFromJson(gtids) } : null;
}

/** Checkpoints of before have none. */
function gtidsFromJson(json: Json | undefined): string | null {
  return typeof json === 'string' ? json : null;
}

function lastFromJson(json: Json | undefined): PassedLast | null {
  if (json === undefined || json === null || typeof json !== 'object' || Array.isArray(json)) return null;
  const { gtid, originMicros } = json as { gtid?: Json; originMicros?: Json };
  return typeof gtid === 'string' ? { gtid, originMicros: Number(originMicros) } : null;
}

export function describePosition({ file, position }: LogPosition): string {
  return `${file}:${position}`;
}
