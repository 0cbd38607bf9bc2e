import type { Finding } from '../../pipeline/connector.ts';
import type { Problem } from '../../pipeline/problem.ts';
import { textOf } from './checks/finding.ts';
import { checkDumpRight, checkLoad, checkReplica, checkStatusRight, checkXaRight } from './checks/rights.ts';
import { checkEncryption, checkSettings } from './checks/settings.ts';
import type { Questions } from './connect.ts';
import type { MysqlSettings } from './options.ts';
import type { ServerFacts } from './server-facts.ts';

/** Everything that must hold of a server, or had better, before its log is read. */
export async function checkServer(
  connection: Questions,
  facts: ServerFacts,
  wanted: {
    readonly settings: MysqlSettings;
    /** Existing rows will be read too. */
    readonly load: boolean;
    readonly databases: readonly string[];
  },
): Promise<Finding[]> {
  return [
    checkEncryption(wanted.settings),
    ...checkSettings(facts),
    ...(facts.logBin ? await checkStatusRight(connection, facts, wanted.databases) : []),
    await checkReplica(connection, facts),
    ...(wanted.load ? [checkLoad(facts)] : []),
  ];
}

/** What only a try can tell, at planning: asks for the log itself. */
export async function tryServer(
  connection: Questions,
  facts: ServerFacts,
  settings: MysqlSettings,
  signal: AbortSignal,
): Promise<Finding[]> {
  return [await checkDumpRight(connection, settings, facts, signal), await checkXaRight(connection, facts)];
}

export function problemsOf(findings: readonly Finding[]): Problem[] {
  return findings.flatMap((finding) =>
    finding.code === null ? [] : [{ code: finding.code, message: textOf(finding), remedy: finding.remedy }],
  );
}

export function warningsOf(findings: readonly Finding[]): string[] {
  return findings.filter(({ level }) => level === 'warning').map(textOf);
}
