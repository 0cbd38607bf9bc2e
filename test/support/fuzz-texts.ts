import { pick } from './log-grammar.ts';
import { FOREIGN_PROJECT, PROJECT } from './whole-service.ts';

export type Random = () => number;

/** A whole number from 0 to before `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

/** Texts that readers of parameters are known to stumble over. */
export const TEXTS: readonly string[] = [
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
  '18446744073709551616',
  '1e400',
  '1e3',
  '0x10',
  '007',
  '+1',
  ' 1',
  '1 ',
  '1.0',
  '-0',
  '٣',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  'true',
  '[]',
  '{}',
  '[object Object]',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\0',
  '\r\nX-Injected: 1',
  '\u2028\u2029',
  '\ud7ff\ue000\ufffd\uffff',
  '𝒜😀',
  '../../../etc/passwd',
  "' OR 1=1 --",
  '${srcDatabaseName}',
  '%s%n%x',
  '<![CDATA[x]]><!ENTITY a "b">',
  'DI_OFFLINE',
  'DI_SOLUTION',
  'di_realtime',
  String(PROJECT),
  String(FOREIGN_PROJECT),
  '700001',
  '1',
  '0',
];

/** JSON that is none, or that readers differ about. */
export const JSON_TEXTS: readonly string[] = [
  '{',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"a":"\\ud800"}',
  '{"a":1e999}',
  '{"a":-0}',
  '{"a":18446744073709551616}',
  "{'a':1}",
  '{"a":1,}',
  '{"a":\u00a01}',
  '\ufeff{}',
  '{"a":"\u0000"}',
  '[{}]',
  '"text"',
  '1',
  'nul',
  '{"a":tru}',
  `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  '['.repeat(5000),
  `{"a":"${'x'.repeat(70_000)}"}`,
];

/** Keys that scripts, settings and rules have. */
const KEYS: readonly string[] = [
  'setting',
  'steps',
  'stepType',
  'category',
  'parameter',
  'connection',
  'datasource',
  'table',
  'selectedTables',
  'dbName',
  'schema',
  'tableInfos',
  'extend',
  'disync',
  'processId',
  'planHash',
  'taskType',
  'name',
  'initialLoad',
  'mode',
  'tableMappingRule',
  'tableRule',
  'writeMode',
  'failoverLimit',
  'count',
  'interval',
  'errorLimit',
  'record',
  'ddlMarkMap',
  'startTime',
  'startPosition',
  'startGtid',
  'jdbcUrl',
  'host',
  'port',
  'endpoint',
  'database',
  'username',
  'password',
  'DataSourceName',
  'SourceObjectSelectionRules',
  'Expression',
  'ExpressionType',
  'ObjectType',
  'Action',
  'type',
  'key',
  'value',
  'FileFolderPath',
  'ResourceGroup',
  'ADDCOLUMN',
  'toString',
  'length',
  '0',
];

/** A value that no reader expects. */
export function jsonValue(random: Random, depth: number): unknown {
  const dice = random();
  if (depth > 0 && dice < 0.45) {
    const entries = Array.from({ length: below(random, 6) }, () => [pick(random, KEYS), jsonValue(random, depth - 1)]);
    return Object.fromEntries(entries) as object;
  }
  if (depth > 0 && dice < 0.65) return Array.from({ length: below(random, 4) }, () => jsonValue(random, depth - 1));
  const leaves = [
    null,
    true,
    false,
    0,
    -1,
    1.5,
    2 ** 53,
    '',
    'a',
    'shop',
    'reader',
    'writer',
    'mysql',
    'holo',
    'oneclick_to_holo',
  ];
  return random() < 0.5 ? pick(random, leaves) : pick(random, TEXTS);
}

/** Something in place of a part of a good JSON: a script that is nearly right. */
export function nearlyJson(random: Random, good: string): string {
  const json = parsed(good);
  let node = json;
  for (let step = 0; step < 6 && typeof node === 'object' && node !== null; step += 1) {
    const keys = Object.keys(node);
    if (Array.isArray(node) && keys.length === 0) break;
    const key =
      !Array.isArray(node) && (keys.length === 0 || random() < 0.15) ? pick(random, KEYS) : pick(random, keys);
    const inner = (node as Record<string, unknown>)[key];
    if (random() < 0.4 || typeof inner !== 'object' || inner === null) {
      (node as Record<string, unknown>)[key] = jsonValue(random, 3);
      break;
    }
    node = inner;
  }
  return JSON.stringify(json);
}

/** Of a text that an earlier change broke, nothing. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}
