import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import process from 'node:process';
import { type Command, Option } from 'commander';
import { VERSION_2020 } from '../api/operation.ts';
import { messageOf } from '../lib/errors.ts';
import { isJsonObject, parseJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { readTextFile } from '../lib/text-file.ts';
import { aliyunLine, curlLine } from './call-lines.ts';
import { checkCall } from './check-call.ts';
import { type Call, type SignedCall, signCallV1, signCallV3 } from './sign-call.ts';

/** 0 done; 1 no answer, or a defect there; 2 used wrongly; 4 refused: an error answer, or Data.Status fail. */
export type CallExit = 0 | 1 | 2 | 4;

export interface CallOptions {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly apiVersion: string;
  /** Of temporary credentials. */
  readonly securityToken?: string;
  /** Sign with V1 (HMAC-SHA1) instead of V3. */
  readonly v1?: boolean;
  /** False sends it without a look into the service's catalogue. */
  readonly check?: boolean;
  /** Prints the call for another tool instead of making it. */
  readonly print?: 'curl' | 'aliyun';
}

export interface CallOutput {
  readonly exit: CallExit;
  /** The answer, or nothing. */
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 120_000;

/** Adds `disync call <Action> key=value…`. */
export function registerCall(program: Command): void {
  program
    .command('call')
    .description('calls an operation of the API, signed, and prints its answer')
    .argument('<action>', 'such as GetDISyncInstanceInfo; GET /catalogue lists them')
    .argument(
      '[parameters...]',
      'key=value; key=@file takes the text of a file, key=@- standard input, key=@@text "@text"',
    )
    .addOption(
      new Option('--endpoint <url>', 'where the service is').env('DISYNC_ENDPOINT').default('http://127.0.0.1:8580'),
    )
    .addOption(new Option('--access-key-id <id>').env('ALIBABA_CLOUD_ACCESS_KEY_ID').default('dev'))
    .addOption(new Option('--access-key-secret <secret>').env('ALIBABA_CLOUD_ACCESS_KEY_SECRET').default('dev'))
    .addOption(new Option('--security-token <token>', 'of temporary credentials').env('ALIBABA_CLOUD_SECURITY_TOKEN'))
    .addOption(new Option('--api-version <version>').default(VERSION_2020))
    .option('--v1', 'sign with HMAC-SHA1, the older form')
    .option('--no-check', 'send it as it is, without looking into the catalogue of the service')
    .addOption(
      new Option('--print <form>', 'do not call, print the same call for another tool').choices(['curl', 'aliyun']),
    )
    .addHelpText('after', '\nExit status: 0 done, 1 no answer or a defect there, 2 used wrongly, 4 refused.')
    .action(async (action: string, parameters: string[], options: CallOptions) => {
      const { exit, stdout, stderr } = await runCall(action, parameters, options);
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      process.exitCode = exit;
    });
}

/** Never rejects: what went wrong is in `exit` and `stderr`. */
export async function runCall(action: string, pairs: readonly string[], options: CallOptions): Promise<CallOutput> {
  let call: Call;
  let endpoint: URL;
  try {
    call = { action, version: options.apiVersion, parameters: readPairs(pairs) };
    endpoint = readEndpoint(options.endpoint);
  } catch (error) {
    return { exit: 2, stdout: '', stderr: `${messageOf(error)}\n` };
  }
  try {
    const wrong = options.check === false ? [] : checkCall(call, await fetchCatalogue(endpoint));
    if (wrong.length > 0) return { exit: 2, stdout: '', stderr: `${wrong.join('\n')}\n` };
    const signed = sign(call, endpoint, options);
    if (options.print !== undefined)
      return { exit: 0, stdout: `${print(call, endpoint, signed, options.print)}\n`, stderr: '' };
    const { status, body } = await request(endpoint, { method: 'POST', ...signed });
    const answer = `${body}\n`;
    if (status === 200 && !saysFail(body)) return { exit: 0, stdout: answer, stderr: '' };
    return { exit: status >= 500 ? 1 : 4, stdout: answer, stderr: '' };
  } catch (error) {
    return { exit: 1, stdout: '', stderr: `no answer from ${endpoint.origin}: ${messageOf(error)}\n` };
  }
}

/** `key=value…`. Errors: Error that says what is wrong with which. */
export function readPairs(pairs: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new Error(`${JSON.stringify(pair)} is not of the form key=value`);
    const name = pair.slice(0, equals);
    if (found.has(name)) throw new Error(`${name} is given twice`);
    found.set(name, readText(name, pair.slice(equals + 1)));
  }
  return found;
}

function readText(name: string, text: string): string {
  if (text.startsWith('@@')) return text.slice(1);
  if (!text.startsWith('@')) return text;
  try {
    return readTextFile(text.slice(1));
  } catch (error) {
    throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** `host:port` is plain HTTP on loopback, else HTTPS. Errors: Error that says what is wrong. */
function readEndpoint(text: string): URL {
  const loopback = /^(?:localhost|127\.|\[::1\])/.test(text);
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `${loopback ? 'http' : 'https'}://${text}`);
  if (url === null || url.pathname !== '/')
    throw new Error(`the endpoint ${JSON.stringify(text)} is not host:port or a URL`);
  return url;
}

function sign(
  call: Call,
  endpoint: URL,
  { accessKeyId, accessKeySecret, securityToken, v1 = false }: CallOptions,
): SignedCall {
  const signer = { accessKeyId, accessKeySecret, securityToken: securityToken ?? null, now: Date.now() };
  return v1 ? signCallV1(call, signer) : signCallV3(call, endpoint.host, signer);
}

function print(call: Call, endpoint: URL, signed: SignedCall, form: 'curl' | 'aliyun'): string {
  return form === 'curl' ? curlLine(endpoint, signed) : aliyunLine(call, endpoint);
}

/** Null when there is none: the endpoint may be the vendor's. */
async function fetchCatalogue(endpoint: URL): Promise<Json | null> {
  const { status, body } = await request(new URL('/catalogue', endpoint), { method: 'GET', headers: {}, body: '' });
  if (status !== 200) return null;
  try {
    return parseJson(body);
  } catch {
    return null;
  }
}

async function request(
  url: URL,
  { method, headers, body }: SignedCall & { readonly method: string },
): Promise<{ readonly status: number; readonly body: string }> {
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = start(url, { method, headers, timeout: TIMEOUT_MS }, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing came for ${TIMEOUT_MS / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
}

function saysFail(body: string): boolean {
  let answer: Json;
  try {
    answer = parseJson(body);
  } catch {
    return true;
  }
  const data = isJsonObject(answer) ? answer['Data'] : undefined;
  return isJsonObject(data) && data['Status'] === 'fail';
}
