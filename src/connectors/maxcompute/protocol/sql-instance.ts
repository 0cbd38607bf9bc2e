import { randomUUID } from 'node:crypto';
import { BackOff, pause } from '../../../lib/retry.ts';
import type { Call, Reply, ServiceClient } from './service-client.ts';
import { ServiceError } from './service-error.ts';
import { attributes, escapeXml, tagText } from './xml.ts';

/*
 * A statement is run by an instance, which the service keeps after it ended:
 *
 *   POST /projects/P/instances                 the job below; 201 or 200 with Location: …/instances/I
 *   GET  /projects/P/instances/I               <Instance><Status>Running | Suspended | Terminated</Status></Instance>
 *   GET  /projects/P/instances/I?taskstatus    <Instance>…<Tasks><Task><Name/><Status>Success | Failed | Cancelled</Status></Task></Tasks></Instance>
 *   GET  /projects/P/instances/I?result        <Instance><Tasks><Task><Name/><Result Transform="Base64">…</Result></Task></Tasks></Instance>
 *
 * A job that comes again with the same Guid is the instance that it was before. 409 with Retry-After asks to come again later.
 */
export interface SqlJob {
  readonly project: string;
  /** The middle one of three names, where the project has them: names without one are of it. */
  readonly schema?: string;
  /** One statement, with or without its `;`. */
  readonly query: string;
  /** Beside those that every statement of ours has; those given here win. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** All types; and statements may read all partitions of a table, which projects forbid without being asked. */
const SETTINGS = { 'odps.sql.type.system.odps2': 'true', 'odps.sql.allow.fullscan': 'true' } as const;
const SUBMIT_WAIT_MS = 180_000;
const POLL = { firstMs: 100, mostMs: 5000 } as const;

/**
 * Runs a statement and waits for its end, as long as it takes: a statement goes on when the wait for it is aborted.
 * Returns what it says: for SELECT a CSV with a head, where NULL is \N; mostly nothing for others.
 * Errors: ServiceError, also for a statement that failed: its code is the service's ODPS-nnnnnnn.
 */
export async function runSql(client: ServiceClient, job: SqlJob, signal?: AbortSignal): Promise<string> {
  const instance = await submit(client, job, signal);
  const about = (action: string) =>
    client.repeat(
      {
        method: 'GET',
        path: ['projects', job.project, 'instances', instance],
        params: [...(action === '' ? [] : [[action, ''] as const]), ...whereOf(job)],
      },
      signal,
    );
  const backOff = new BackOff(client.settings.retryFirstMs ?? POLL.firstMs, POLL.mostMs);
  while (statusOf(text(await about(''))) !== 'Terminated') {
    await pause(backOff.next(), signal);
    signal?.throwIfAborted();
  }
  const status = statusOf(tagText(text(await about('taskstatus')), 'Task') ?? '');
  const result = resultOf(text(await about('result')));
  if (status !== 'Success') throw failureOf(instance, status, result);
  return result;
}

/** Returns the instance's id. Sent again while that may help: the Guid makes it one instance. */
async function submit(client: ServiceClient, job: SqlJob, signal?: AbortSignal): Promise<string> {
  const call: Call = {
    method: 'POST',
    path: ['projects', job.project, 'instances'],
    params: whereOf(job),
    headers: { 'Content-Type': 'application/xml' },
    body: jobXml(job),
  };
  const until = Date.now() + SUBMIT_WAIT_MS;
  for (;;) {
    try {
      const { headers } = await client.repeat(call, signal);
      return headers.location?.split('/').pop() || fail('the service took a statement and did not say where it is');
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 409 || error.holdMs === 0) throw error;
      if (Date.now() >= until || signal?.aborted === true) throw error;
      await pause(error.holdMs, signal);
    }
  }
}

function whereOf({ project, schema }: SqlJob): (readonly [string, string])[] {
  return [['curr_project', project], ...(schema === undefined ? [] : [['curr_schema', schema] as const])];
}

function jobXml({ schema, query, settings }: SqlJob): string {
  const schemaSettings =
    schema === undefined
      ? {}
      : {
          'odps.namespace.schema': 'true',
          'odps.sql.allow.namespace.schema': 'true',
          'odps.default.schema': schema,
        };
  const all = JSON.stringify({ ...SETTINGS, ...schemaSettings, ...settings });
  const statement = `${query.trim().replace(/;$/, '')};`.replaceAll(']]>', ']]]]><![CDATA[>');
  const property = (name: string, value: string) =>
    `<Property><Name>${name}</Name><Value>${escapeXml(value)}</Value></Property>`;
  return (
    `<?xml version="1.0" encoding="utf-8"?><Instance><Job><Priority>9</Priority><Guid>${randomUUID()}</Guid><Tasks><SQL>` +
    `<Name>AnonymousSQLTask</Name><Config>${property('settings', all)}${property('uuid', randomUUID())}</Config>` +
    `<Query><![CDATA[${statement}]]></Query></SQL></Tasks><DAG><RunMode>Sequence</RunMode></DAG></Job></Instance>`
  );
}

function statusOf(xml: string): string {
  return tagText(xml, 'Status') ?? fail('the service did not say the status of a statement');
}

function resultOf(xml: string): string {
  const result = tagText(xml, 'Result') ?? '';
  return attributes(xml, 'Result', 'Transform')[0] === 'Base64' ? Buffer.from(result, 'base64').toString() : result;
}

/** The instance stands where other errors have their request. */
function failureOf(instance: string, status: string, result: string): ServiceError {
  const [code = status] = /ODPS-\d{7}/.exec(result) ?? [];
  return new ServiceError({ status: 200, code, message: result.trim() || status, requestId: instance, holdMs: 0 });
}

function text({ body }: Reply): string {
  return body.toString();
}

function fail(what: string): never {
  throw new Error(what);
}
