import type { Examination, ExamineOptions, Finding } from '../../pipeline/connector.ts';
import { checkServer, tryServer } from './checks.ts';
import { checkDatabase } from './checks/tables.ts';
import { asMysqlSettings } from './options.ts';
import { readServerFacts } from './server-facts.ts';
import { withQuestions } from './with-questions.ts';

/** Looks at a server, what its account may do, and every table of some databases. Errors: PipelineError. */
export async function examine({ settings, databases, signal }: ExamineOptions): Promise<Examination> {
  const mysql = asMysqlSettings(settings);
  return withQuestions(mysql, signal, async (connection) => {
    const facts = await readServerFacts(connection);
    const findings: Finding[] = await checkServer(connection, facts, { settings: mysql, load: true, databases });
    if (facts.logBin) findings.push(...(await tryServer(connection, facts, mysql, signal)));
    for (const database of databases) findings.push(...(await checkDatabase(connection, facts, database)));
    return { server: facts.title, account: facts.account, databases, findings };
  });
}
