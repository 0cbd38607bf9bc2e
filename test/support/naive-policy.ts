// A second reading of policies, as plain as can be: patterns become regular expressions, addresses numbers.
import type { AccessRequest } from '../../src/tasks/policy.ts';

export interface PolicyDocument {
  readonly Version: '1';
  readonly Statement: readonly StatementDocument[];
}

export interface StatementDocument {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export function naivelyAllowed(documents: readonly PolicyDocument[], request: AccessRequest): boolean {
  const statements = documents.flatMap(({ Statement }) => Statement).filter((statement) => applies(statement, request));
  return statements.length > 0 && statements.every(({ Effect }) => Effect === 'Allow');
}

function applies(statement: StatementDocument, { action, resource, sourceAddress }: AccessRequest): boolean {
  const full = `dataworks:${action}`.toLowerCase();
  const actionFits =
    statement.Action !== undefined
      ? many(statement.Action).some((pattern) => like(pattern.toLowerCase(), full))
      : !many(statement.NotAction).some((pattern) => like(pattern.toLowerCase(), full));
  const resourceFits =
    statement.Resource !== undefined
      ? many(statement.Resource).some((pattern) => like(relative(pattern), resource))
      : !many(statement.NotResource).some((pattern) => like(relative(pattern), resource));
  const conditionsHold = Object.entries(statement.Condition ?? {}).every(([operator, about]) => {
    const isIn = many(about['acs:SourceIp']).some((range) => inRange(sourceAddress, range));
    return operator === 'IpAddress' ? isIn : !isIn;
  });
  return actionFits && resourceFits && conditionsHold;
}

function many(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function relative(pattern: string): string {
  return pattern.startsWith('acs:') ? pattern.split(':').slice(4).join(':') : pattern;
}

function like(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

/** IPv4 only. */
function inRange(address: string, range: string): boolean {
  const [base = '', bits = '32'] = range.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
