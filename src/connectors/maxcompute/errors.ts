import { messageOf } from '../../lib/errors.ts';
import { HostRefused } from '../../lib/host-policy.ts';
import { hostRefused, PipelineError, type PipelineErrorFacts } from '../../pipeline/pipeline-error.ts';
import { retryRuleOf } from './protocol/retry-rule.ts';
import { ServiceError } from './protocol/service-error.ts';

const DENIED = new Set([
  'SignatureNotMatch',
  'InvalidAccessKeyId',
  'AccessDenied',
  'Unauthorized',
  'NoPermission',
  'RequestTimeTooSkewed',
  'RequestTimeTooSkewd',
  'ODPS-0410042',
  'ODPS-0410051',
  'ODPS-0420095',
]);
const NO_PROJECT = new Set(['NoSuchProject', 'ODPS-0420111']);
/** No right on one table. */
const TABLE_DENIED = new Set(['ODPS-0130013', 'NoPermission', 'AccessDenied']);

/** Whether a call failed because of what it asks, so that it fails as often as it is sent. */
export function isRefusal(error: unknown): error is ServiceError {
  return error instanceof ServiceError && retryRuleOf(error).kind === 'caller';
}

/**
 * A failure as a PipelineError; one that is a PipelineError already passes as it is. With `facts.table`, a refusal is that
 * table's; without, it is the run's. The service's messages name objects, never values of rows.
 */
export function toPipelineError(error: unknown, doing: string, facts: PipelineErrorFacts = {}): PipelineError {
  if (error instanceof PipelineError) return error;
  if (error instanceof HostRefused) return hostRefused(error, doing, facts);
  const why = `${doing}: ${messageOf(error)}`;
  const { table } = facts;
  if (error instanceof ServiceError && table !== undefined && isTableDenied(error))
    return new PipelineError('table', 'Sink.TableDenied', why, {
      ...facts,
      cause: error,
      hint: 'Grant the account the rights to describe, alter and update the target table, then deploy again.',
    });
  if (error instanceof ServiceError && (DENIED.has(error.code) || error.status === 401 || isMissingProject(error)))
    return new PipelineError('fatal', 'Sink.Denied', why, {
      ...facts,
      cause: error,
      hint: 'Check the project, the account, its key, and the clock of this machine; grant it CreateTable and CreateInstance.',
    });
  if (isTls(error))
    return new PipelineError('fatal', 'Sink.TlsFailed', why, {
      ...facts,
      cause: error,
      hint: 'The endpoint’s certificate must be of an authority that this machine trusts (NODE_EXTRA_CA_CERTS adds one).',
    });
  if (table !== undefined && isRefusal(error))
    return new PipelineError('table', 'Sink.TargetMismatch', why, {
      ...facts,
      cause: error,
      hint: 'The target must have the columns, the key and the partitions of the plan. Repair or drop it, then deploy again.',
    });
  return new PipelineError('transient', 'Sink.Unavailable', why, {
    ...facts,
    cause: error,
    hint: 'MaxCompute cannot be reached, or did not do it this time; the run tries again by itself.',
  });
}

function isTableDenied({ code, message }: ServiceError): boolean {
  return TABLE_DENIED.has(code) || message.includes('ODPS-0130013');
}

function isMissingProject({ code, message }: ServiceError): boolean {
  return NO_PROJECT.has(code) || message.includes('ODPS-0420111');
}

function isTls(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|^EPROTO$/.test(
    String((error as { code?: unknown } | null)?.code),
  );
}
