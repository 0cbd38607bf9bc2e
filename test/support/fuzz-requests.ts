import { operations } from '../../src/api/catalogue.ts';
import type { Operation } from '../../src/api/operation.ts';
import { percentEncode } from '../../src/api/rpc/percent-encoding.ts';
import { type SignedCall, signCallV1, signCallV3 } from '../../src/cli/sign-call.ts';
import { goodParameters } from './api-clients.ts';
import { pick } from './log-grammar.ts';
import { FOREIGN_PROJECT, KEY, PROJECT } from './whole-service.ts';

export type Random = () => number;

const VERSION = '2020-05-18';
const below = (random: Random, end: number) => Math.floor(random() * end);

/** Texts that readers of parameters are known to stumble over. */
const TEXTS: readonly string[] = [
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
const JSON_TEXTS: readonly string[] = [
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

function jsonValue(random: Random, depth: number): unknown {
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
function nearlyJson(random: Random, good: string): string {
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

const SCRIPTS: Readonly<Record<string, string>> = {
  TaskParam: JSON.stringify({
    setting: { taskType: 'oneclick_to_holo', resourceGroup: 'g' },
    steps: [
      {
        stepType: 'mysql',
        category: 'reader',
        parameter: { connection: [{ datasource: 'shop_mysql', table: ['a', 'b'] }] },
      },
      { stepType: 'holo', category: 'writer', parameter: { datasource: 'bi_holo' } },
    ],
  }),
  TaskContent: JSON.stringify({
    type: 'job',
    extend: { mode: 'migration_holo', resourceGroup: 'g', initialLoad: 'all', disync: { processId: 1, planHash: 'x' } },
    steps: [
      {
        stepType: 'mysql',
        category: 'reader',
        parameter: { connection: [{ datasource: 'shop_mysql', table: ['a', 'b'] }] },
      },
      {
        stepType: 'holo',
        category: 'writer',
        parameter: { datasource: 'bi_holo', tableMappingRule: { datasource: [] } },
      },
    ],
  }),
  StartParam:
    '{"failoverLimit":{"count":1,"interval":1},"errorLimit":{"record":0},"startPosition":{"file":"b.1","position":4}}',
  Content: '{"jdbcUrl":"jdbc:mysql://h/shop","database":"shop","username":"u","password":"p"}',
};

export interface Parameters {
  readonly operation: Operation;
  readonly texts: Map<string, string>;
}

/** What an operation may be called with. */
export function goodCall(random: Random): Parameters {
  const operation = pick(random, operations);
  return { operation, texts: new Map(Object.entries(goodParameters(operation.name))) };
}

/** A call with one to three parameters that are not what they should be. */
export function badCall(random: Random): Parameters {
  const { operation, texts } = goodCall(random);
  const names = Object.keys(operation.parameters);
  for (let change = 0; change <= below(random, 3); change += 1) {
    const name =
      random() < 0.05
        ? pick(random, ['__proto__', 'constructor', 'Action', 'x'.repeat(300), '', 'a.1.b'])
        : pick(random, names);
    texts.set(name, badText(random, name, texts.get(name) ?? '', operation));
  }
  if (random() < 0.05) texts.delete(pick(random, [...texts.keys()]));
  return { operation, texts };
}

function badText(random: Random, name: string, good: string, operation: Operation): string {
  const script = Object.hasOwn(SCRIPTS, name) ? (SCRIPTS[name] ?? '') : good;
  const isJson =
    (Object.hasOwn(operation.parameters, name) && operation.parameters[name]?.json === true) || /^[[{]/.test(script);
  if (!isJson || random() < 0.15) return random() < 0.05 ? 'x'.repeat(below(random, 5000)) : pick(random, TEXTS);
  const dice = random();
  if (dice < 0.2) return pick(random, JSON_TEXTS);
  if (dice < 0.45) return JSON.stringify(jsonValue(random, 5));
  return /^[[{]/.test(script) ? nearlyJson(random, script) : JSON.stringify(jsonValue(random, 5));
}

/** A whole request as bytes. */
export function signed(
  random: Random,
  { operation, texts }: Parameters,
  port: number,
): SignedCall & { readonly method: string } {
  const call = { action: operation.name, version: VERSION, parameters: texts };
  const signer = { ...KEY, now: Date.now() };
  const signedCall = random() < 0.5 ? signCallV3(call, `127.0.0.1:${port}`, signer) : signCallV1(call, signer);
  return { ...signedCall, method: 'POST' };
}

export function bytesOf(
  { method, headers, body, path = '/' }: SignedCall & { method: string; path?: string },
  port: number,
): Buffer {
  const all = { host: `127.0.0.1:${port}`, ...headers, 'content-length': String(Buffer.byteLength(body, 'latin1')) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

/** A signed request, changed in one thing that its signature covers. */
export function mutated(random: Random, port: number): Buffer {
  const call = goodCall(random);
  const right = signed(random, call, port);
  const isV3 = right.headers['authorization'] !== undefined;
  const changes = isV3 ? [...BODY_CHANGES, ...HEADER_CHANGES] : [...BODY_CHANGES, ...V1_CHANGES];
  for (;;) {
    const changed = pick(random, changes)(random, right);
    const bytes = bytesOf(changed, port);
    if (!meansTheSame(changed, right)) return bytes;
  }
}

type Signed = SignedCall & { readonly method: string; readonly path?: string };
type Change = (random: Random, call: Signed) => Signed;

const pairsOf = (body: string) => body.split('&');

const BODY_CHANGES: readonly Change[] = [
  (random, call) => ({ ...call, method: pick(random, ['GET', 'PUT', 'DELETE']) }),
  (random, call) => ({ ...call, path: `/?${pick(random, ['TaskType=DI_SOLUTION', 'FileId=1', 'x=', 'RegionId=cn'])}` }),
  (random, call) => ({ ...call, body: `${call.body}&${pick(random, ['Extra=1', 'ProjectId2=1', 'z='])}` }),
  (random, call) => {
    const pairs = pairsOf(call.body);
    return { ...call, body: pairs.toSpliced(below(random, pairs.length), 1).join('&') };
  },
  (random, call) => {
    const pairs = pairsOf(call.body);
    const at = below(random, pairs.length);
    const [name = ''] = (pairs[at] ?? '').split('=');
    return { ...call, body: pairs.with(at, `${name}=${percentEncode(pick(random, TEXTS))}`).join('&') };
  },
  (random, call) => {
    const at = below(random, call.body.length);
    const byte = String.fromCharCode(0x30 + below(random, 64));
    return { ...call, body: call.body.slice(0, at) + byte + call.body.slice(at + 1) };
  },
];

/** Signed headers, and the signature itself. */
const HEADER_CHANGES: readonly Change[] = [
  ...[
    'x-acs-action',
    'x-acs-version',
    'x-acs-date',
    'x-acs-signature-nonce',
    'x-acs-content-sha256',
    'host',
    'authorization',
  ].map(
    (name): Change =>
      (random, call) => ({
        ...call,
        headers: { ...call.headers, [name]: changedText(random, call.headers[name] ?? '') },
      }),
  ),
  (random, call) => ({ ...call, headers: { ...call.headers, 'x-acs-extra': String(below(random, 9)) } }),
  (random, call) => {
    const name = pick(
      random,
      Object.keys(call.headers).filter((one) => one !== 'host'),
    );
    return { ...call, headers: Object.fromEntries(Object.entries(call.headers).filter(([one]) => one !== name)) };
  },
  (_, call) => ({
    ...call,
    headers: { ...call.headers, authorization: (call.headers['authorization'] ?? '').replace('host;', '') },
  }),
];

/** Parameters that V1 signs with: each gets another value. */
const V1_CHANGES: readonly Change[] = [
  'Signature',
  'AccessKeyId',
  'Timestamp',
  'SignatureNonce',
  'Action',
  'Version',
  'Format',
].map(
  (name): Change =>
    (random, call) => ({
      ...call,
      body: pairsOf(call.body)
        .map((pair) =>
          pair.startsWith(`${name}=`)
            ? `${name}=${percentEncode(changedText(random, decodeURIComponent(pair.slice(name.length + 1))))}`
            : pair,
        )
        .join('&'),
    }),
);

function changedText(random: Random, text: string): string {
  const at = below(random, text.length);
  switch (below(random, 4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return `${text.slice(0, at)}${pick(random, ['0', 'a', 'Z', '=', '.'])}${text.slice(at)}`;
    case 2:
      return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
    default:
      return text.slice(0, at) + pick(random, ['0', '1', 'f', 'Q', '+']) + text.slice(at + 1);
  }
}

/** Not every change of bytes changes what was signed: parameters are compared decoded, in any order. */
function meansTheSame(changed: Signed, right: Signed): boolean {
  const isV3 = right.headers['authorization'] !== undefined;
  const decoded = (body: string) => {
    try {
      return JSON.stringify(
        pairsOf(body)
          .filter((pair) => pair !== '')
          .map((pair) => decodeURIComponent(pair.replaceAll('+', ' ')).replace(/=$/, ''))
          .sort(),
      );
    } catch {
      return body;
    }
  };
  const sameBody = isV3 ? changed.body === right.body : decoded(changed.body) === decoded(right.body);
  const sameHeaders = JSON.stringify(changed.headers) === JSON.stringify(right.headers);
  return sameBody && sameHeaders && changed.method === right.method && (changed.path ?? '/') === '/';
}
