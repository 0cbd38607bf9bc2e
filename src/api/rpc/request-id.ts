import { randomUUID } from 'node:crypto';

/** An opaque id of one call: in its answer, its headers and the log. */
export function newRequestId(): string {
  return randomUUID().toUpperCase();
}

/** 32 hexadecimal digits, for `x-acs-trace-id`. */
export function newTraceId(): string {
  return randomUUID().replaceAll('-', '');
}
