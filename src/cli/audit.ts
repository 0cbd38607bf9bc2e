import { type Command, InvalidArgumentError } from 'commander';
import { stringifyJson } from '../lib/json.ts';
import { writeAuditedCall } from '../store/audited-call.ts';
import type { AuditEntry } from '../tasks/audit.ts';
import { withStore } from './with-store.ts';

interface Filter {
  readonly since?: number;
  readonly key?: string;
  readonly user?: string;
  readonly action?: string;
  readonly refused?: true;
  readonly writes?: true;
  readonly limit: number;
  readonly json?: true;
}

/** Adds `disync audit`: the trail of calls, and whether it is whole. */
export function registerAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description(
      'shows the calls that were made, the newest last; ends with status 1 when the trail is not as it was written',
    )
    .option('--since <time>', 'from this time on, such as 2026-01-31 or 2026-01-31T12:00:00Z', readTime)
    .option('--key <id>', 'calls that name this access key')
    .option('--user <name>', 'calls of this user')
    .option('--action <name>', 'calls of this operation')
    .option('--refused', 'calls that were answered with an error, or Status fail')
    .option('--writes', 'calls of operations that change something')
    .option('--limit <number>', 'at most so many, the newest', readCount, 100)
    .option('--json', 'a line of JSON for each, whole');
  withStore(audit, ({ audit: trail }, _, options) => {
    const filter = options as unknown as Filter;
    const shown: AuditEntry[] = [];
    let broken: number | null = null;
    for (const entry of trail.entries()) {
      if (!entry.isGenuine) broken ??= entry.sequence;
      if (!matches(entry, filter)) continue;
      shown.push(entry);
      if (shown.length > 2 * filter.limit) shown.splice(0, filter.limit);
    }
    for (const entry of shown.slice(-filter.limit)) console.log(filter.json ? jsonLine(entry) : line(entry));
    if (broken === null) return;
    console.error(`the trail was changed: record ${broken}, or one before it, is not what was written`);
    process.exitCode = 1;
  });
}

function matches({ call }: AuditEntry, { since, key, user, action, refused, writes }: Filter): boolean {
  return (
    (since === undefined || call.at >= since) &&
    (key === undefined || call.accessKeyId === key) &&
    (user === undefined || call.user === user) &&
    (action === undefined || call.action === action) &&
    (refused === undefined || call.code !== null) &&
    (writes === undefined || call.access === 'write')
  );
}

function line({ call }: AuditEntry): string {
  const { at, action, accessKeyId, user, from, status, code, requestId } = call;
  const who = user ?? `(${accessKeyId ?? 'nobody'})`;
  return [new Date(at).toISOString(), who, from, action || '-', status, code ?? 'ok', requestId].join('\t');
}

function jsonLine({ sequence, call }: AuditEntry): string {
  return stringifyJson({ sequence, ...writeAuditedCall(call) });
}

function readTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('a time is such as 2026-01-31T12:00:00Z');
  return time;
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a number from 1');
  return Number(text);
}
