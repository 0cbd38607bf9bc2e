import type { Examination, ExamineOptions, Finding } from '../../pipeline/connector.ts';
import { checkServer, tryServer } from './checks.ts';
import { checkDatabase } from './checks/tables.ts';
import { connectForQueries } from './connect.ts';
import { toPipelineError } from './errors.ts';
import { asMysqlSettings } from './options.ts';
import { readServerFacts } from './server-facts.ts';

/** Looks at a server, what its account may do, and every table of some databases. Errors: PipelineError. */
export async function examine({ settings, databases, signal }: ExamineOptions): Promise<Examination> {
  const mysql = asMysqlSettings(settings);
  const connection = await connectForQueries(mysql);
  const cancel = () => connection.close();
  signal.addEventListener('abort', cancel);
  try {
    const facts = await readServerFacts(connection);
    const findings: Finding[] = await checkServer(connection, facts, { settings: mysql, load: true, databases });
    if (facts.logBin) findings.push(...(await tryServer(connection, facts, mysql, signal)));
    for (const database of databases) findings.push(...(await checkDatabase(connection, facts, database)));
    return { server: facts.title, account: facts.account, databases, findings };
  } catch (error) {
    throw toPipelineError(error, `asking ${mysql.host}:${mysql.port}`);
  } finally {
    signal.removeEventListener('abort', cancel);
    connection.close();
  }
}
