import type { TargetId } from '../../pipeline/route.ts';

/** For messages only. */
export function describeTarget({ schema, table }: TargetId): string {
  return schema === '' ? `"${table}"` : `"${schema}"."${table}"`;
}

/** A text that is equal for equal targets and for no others: the service's names ignore case. */
export function targetKey({ schema, table }: TargetId): string {
  return `${schema}\0${table}`.toLowerCase();
}
