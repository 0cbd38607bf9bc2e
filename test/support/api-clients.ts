import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import type * as OpenApiModule from '@alicloud/openapi-client';
import type PopCoreClient from '@alicloud/pop-core';
import { operations } from '../../src/api/catalogue.ts';
import { percentEncode } from '../../src/api/rpc/percent-encoding.ts';
import { signV1, stringToSignV1 } from '../../src/api/signature/v1.ts';
import { parseJson } from '../../src/lib/json.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import { KEY_ID, PROJECT, SECRET } from './gateway-under-test.ts';

// The vendor's clients are CommonJS.
const require = createRequire(import.meta.url);
const OpenApi = require('@alicloud/openapi-client') as typeof OpenApiModule.default;
const PopCore = require('@alicloud/pop-core') as { readonly RPCClient: typeof PopCoreClient };

/** What an operation is called with when all is well. */
const GOOD: Readonly<Record<string, string>> = {
  ProjectId: String(PROJECT),
  TaskType: 'DI_REALTIME',
  TaskId: '100',
  FileId: '100',
  AsyncProcessId: '10',
  TaskName: 'rt 1',
  TaskParam: '{"steps":[]}',
  TaskContent: '{"type":"job"}',
  DestinationType: 'holo',
  ProjectConfig: '{"ADDCOLUMN":"IGNORE"}',
  RefType: 'from',
  DataSourceId: '7',
  Name: 'shop',
  DataSourceType: 'mysql',
  EnvType: '1',
  Content: '{"password":"p"}',
  DatasourceName: 'shop',
  ConnectionType: 'mysql',
  ConnectionId: '7',
  DataSources: '[]',
  DIJobId: '100',
  JobName: 'job 1',
  DIAlarmRuleId: '34982',
  MetricType: 'Heartbeat',
  NotificationSettings:
    '{"NotificationChannels":[{"Severity":"Warning","Channels":["Ding"]}],"NotificationReceivers":[{"ReceiverType":"DingToken","ReceiverValues":["t0ken"]}]}',
  TriggerConditions: '[{"Severity":"Warning"}]',
  MigrationType: 'FullAndRealtimeIncremental',
  SourceDataSourceType: 'MySQL',
  DestinationDataSourceType: 'Hologres',
  SourceDataSourceSettings: '[{"DataSourceName":"shop_mysql"}]',
  DestinationDataSourceSettings: '[{"DataSourceName":"bi_holo"}]',
  TableMappings: '[{"SourceObjectSelectionRules":[{"ObjectType":"Table","Expression":"orders"}]}]',
  ResourceGroup: 'g',
};

/** What an operation needs, though each of it could be something else. */
const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  ListFiles: ['ProjectId'],
  GetFile: ['ProjectId', 'FileId'],
  DeleteFile: ['ProjectId'],
};

export function goodParameters(action: string): Record<string, string> {
  const operation = operations.find(({ name }) => name === action);
  const needed = Object.entries(operation?.parameters ?? {}).filter(
    ([name, { required }]) => required || ONE_OF[action]?.includes(name) === true,
  );
  return Object.fromEntries(needed.map(([name]) => [name, GOOD[name] ?? '']));
}

export type Client = (
  action: string,
  query: Record<string, string>,
  form?: Record<string, string>,
) => Promise<JsonObject>;

const TEST_KEY = { accessKeyId: KEY_ID, accessKeySecret: SECRET };

export function openApiClient(port: number, signature: 'v3' | 'v1', key = TEST_KEY): Client {
  const client = new OpenApi.default(
    new OpenApi.Config({
      endpoint: `127.0.0.1:${port}`,
      protocol: 'http',
      ...key,
      ...(signature === 'v1' && { signatureAlgorithm: 'v2' }),
    }),
  );
  return async (action, query, form) => {
    const params = new OpenApi.Params({
      action,
      version: '2020-05-18',
      protocol: 'HTTP',
      method: action.startsWith('List') ? 'GET' : 'POST',
      authType: 'AK',
      style: 'RPC',
      pathname: '/',
      reqBodyType: 'formData',
      bodyType: 'string',
    });
    const body = new OpenApi.OpenApiRequest({ query, ...(form !== undefined && { body: form }) });
    // The client takes the first for any silence, also that before an answer.
    const runtime = { connectTimeout: 30_000, readTimeout: 30_000 };
    const answer = (await client.callApi(params, body, runtime as never)) as { body: string };
    return parseJson(answer.body) as JsonObject;
  };
}

export function popCoreClient(port: number, method: 'GET' | 'POST', key = TEST_KEY): Client {
  const client = new PopCore.RPCClient({
    endpoint: `http://127.0.0.1:${port}`,
    apiVersion: '2020-05-18',
    ...key,
  });
  return async (action, query, form) => {
    const body: unknown = await client.request(action, { ...query, ...form }, { method, timeout: 30_000 });
    return parseJson(JSON.stringify(body)) as JsonObject;
  };
}
/** Signs V1 and sends by hand, so that every byte is ours. */
export async function send(
  port: number,
  parameters: Record<string, string>,
  options: {
    secret?: string;
    method?: string;
    headers?: Record<string, string>;
    change?: (url: string) => string;
  } = {},
): Promise<RawAnswer> {
  const { secret = SECRET, method = 'GET', headers = {}, change = (url) => url } = options;
  const all = new Map(Object.entries({ ...commonParameters(), ...parameters }).filter(([, text]) => text !== ABSENT));
  const signature = signV1(stringToSignV1(method, all), secret);
  const pairs = [...all, ['Signature', signature] as const].map(
    ([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`,
  );
  return raw(port, { method, path: change(`/?${pairs.join('&')}`), headers });
}

/** A text out of an answer. */
export function textOf(value: Json | undefined): string {
  if (typeof value !== 'string') throw new TypeError('the answer has no text here');
  return value;
}

/** Instead of a parameter's text: it is left out. */
export const ABSENT = '\0absent';
let nonce = 0;
export function commonParameters(now = Date.now()): Record<string, string> {
  return {
    Version: '2020-05-18',
    Format: 'JSON',
    AccessKeyId: KEY_ID,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: `n${process.pid}-${nonce++}`,
    Timestamp: `${new Date(now).toISOString().slice(0, 19)}Z`,
  };
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  /** Empty when it is not JSON. */
  readonly body: JsonObject;
}

export function raw(port: number, { method = 'GET', path = '/', headers = {}, body }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const all = { accept: 'application/json', ...headers };
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers: all, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode: status = 0, headers } = response;
        const isJson = headers['content-type']?.startsWith('application/json') === true;
        resolve({ status, headers, text, body: isJson ? (parseJson(text) as JsonObject) : {} });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export const query = (action: string, more: Record<string, string> = {}) => ({
  Action: action,
  ...goodParameters(action),
  ...more,
});
