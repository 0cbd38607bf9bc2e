import type { Json } from '../../lib/json-value.ts';
import type {
  DescribeOptions,
  SourceConnector,
  SourceDescription,
  TableDescription,
} from '../../pipeline/connector.ts';
import { tableKey } from '../../pipeline/table.ts';
import { readCatalogue } from './catalogue.ts';
import { checkServer, problemsOf, tryServer, warningsOf } from './checks.ts';
import { textOf } from './checks/finding.ts';
import { unloggedCascades } from './checks/tables.ts';
import { examine } from './examine.ts';
import { listTables } from './list-tables.ts';
import { asMysqlSettings, parseMysqlSettings, parseReaderOptions } from './options.ts';
import { PROBE_STAGES, probe } from './probe.ts';
import { readSchema } from './schema.ts';
import { readServerFacts } from './server-facts.ts';
import { MysqlSource } from './source.ts';
import { withQuestions } from './with-questions.ts';

const LOAD_WITHOUT_KEY =
  'it has no primary key: its rows are read at once, while nothing changes in it; a table that is large, or always written, cannot be loaded so';

/** MySQL 5.6 and later, MariaDB 10.x and 11.x, read through their binary log. */
export const mysqlConnector: SourceConnector = {
  type: 'mysql',
  parseSettings: (content, hosts) => parseMysqlSettings(content, hosts) as Json,
  parseOptions: parseReaderOptions,
  defaultDatabase: (settings) => asMysqlSettings(settings).database,
  describe,
  examine,
  listTables,
  readCatalogue,
  probeStages: PROBE_STAGES,
  probe,
  open: (options) => new MysqlSource(options),
};

async function describe({ settings, tables, load, withoutKey, signal }: DescribeOptions): Promise<SourceDescription> {
  const mysql = asMysqlSettings(settings);
  return withQuestions(mysql, signal, async (connection) => {
    const facts = await readServerFacts(connection);
    const databases = [...new Set(tables.map(({ database }) => database))];
    const findings = await checkServer(connection, facts, { settings: mysql, load, databases });
    if (problemsOf(findings).length === 0) findings.push(...(await tryServer(connection, facts, mysql, signal)));
    const entries = await readSchema(connection, facts, tables);
    const cascades = await unloggedCascades(connection, facts, tables);
    return {
      server: facts.title,
      tables: entries.flatMap((entry): TableDescription[] => {
        if (entry.kind !== 'table') return [];
        const { version } = entry.table;
        const cascade = cascades.get(tableKey(version.id));
        return [
          {
            table: version,
            rowsEstimated: entry.rowsEstimated,
            warnings: [
              ...(cascade === undefined ? [] : [textOf(cascade)]),
              ...(load && entry.keyless !== null ? [LOAD_WITHOUT_KEY] : []),
            ],
          },
        ];
      }),
      problems: [
        ...problemsOf(findings),
        ...entries.flatMap((entry) => {
          if (entry.kind === 'problems') return entry.problems;
          return entry.keyless === null || withoutKey ? [] : [entry.keyless];
        }),
      ],
      warnings: warningsOf(findings),
    };
  });
}
