import { randomInt } from 'node:crypto';
import type { Json } from '../../lib/json-value.ts';
import type {
  DescribeOptions,
  Problem,
  SourceConnector,
  SourceDescription,
  TableDescription,
} from '../../pipeline/connector.ts';
import { checkServer } from './checks.ts';
import { connectForQueries, connectRaw } from './connect.ts';
import { toPipelineError } from './errors.ts';
import { asMysqlSettings, type MysqlSettings, parseMysqlSettings, parseReaderOptions } from './options.ts';
import { readSchema } from './schema.ts';
import { readLogEnd, readServerFacts, type ServerFacts } from './server-facts.ts';
import { MysqlSource } from './source.ts';

const SECRETS = new Set(['password', 'key', 'accessKey', 'accessKeySecret']);
const MASK = '***';

/** MySQL 5.6 and later, MariaDB 10.x and 11.x, read through their binary log. */
export const mysqlConnector: SourceConnector = {
  type: 'mysql',
  parseSettings: (content) => ({ ...parseMysqlSettings(content) }) as Json,
  maskSettings: mask,
  parseOptions: parseReaderOptions,
  defaultDatabase: (settings) => asMysqlSettings(settings).database,
  describe,
  open: (options) => new MysqlSource(options),
};

async function describe({ settings, tables, load, signal }: DescribeOptions): Promise<SourceDescription> {
  const mysql = asMysqlSettings(settings);
  const connection = await connectForQueries(mysql);
  const cancel = () => connection.close();
  signal.addEventListener('abort', cancel);
  try {
    const facts = await readServerFacts(connection);
    const { problems, warnings } = await checkServer(connection, facts, load);
    const denied = problems.length > 0 ? [] : await checkDumpRight(mysql, facts, signal);
    const entries = await readSchema(connection, facts, tables);
    return {
      server: facts.title,
      tables: entries.flatMap((entry): TableDescription[] =>
        entry.kind === 'table'
          ? [{ table: entry.table.version, rowsEstimated: entry.rowsEstimated, warnings: [] }]
          : [],
      ),
      problems: [
        ...problems,
        ...denied,
        ...entries.flatMap((entry) => (entry.kind === 'problems' ? entry.problems : [])),
      ],
      warnings,
    };
  } catch (error) {
    throw toPipelineError(error, `asking ${mysql.host}:${mysql.port}`);
  } finally {
    signal.removeEventListener('abort', cancel);
    connection.close();
  }
}

/** Asks for the end of the log without waiting there: the server says at once if the account may not read it. */
async function checkDumpRight(settings: MysqlSettings, facts: ServerFacts, signal: AbortSignal): Promise<Problem[]> {
  const connection = await connectForQueries(settings);
  const raw = await connectRaw(settings);
  const cancel = () => raw.close();
  signal.addEventListener('abort', cancel);
  try {
    const end = await readLogEnd(connection, facts);
    if (end !== null) await raw.probeDump(end.file, end.position, randomInt(2 ** 30, 2 ** 31));
    return [];
  } catch (error) {
    const { code, message } = toPipelineError(error, 'reading the binary log');
    if (code !== 'MySQL.Denied') throw error;
    return [{ code, message, remedy: 'GRANT REPLICATION SLAVE ON *.* to the account of the data source.' }];
  } finally {
    signal.removeEventListener('abort', cancel);
    raw.close();
    connection.close();
  }
}

/** The same content with every secret replaced, however deep it lies. */
function mask(content: Json): Json {
  if (Array.isArray(content)) return content.map((item: Json) => mask(item));
  if (content === null || typeof content !== 'object') return content;
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => [name, SECRETS.has(name) ? MASK : mask(value)]),
  );
}
