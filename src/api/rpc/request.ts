import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors.ts';
import { mergeJsonBody } from './json-body.ts';
import { decodeParameters, mergeParameters, type ParameterTexts } from './parameters.ts';

/** The head of a request, before anything in it is decoded. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** Still encoded, without `?`. */
  readonly queryText: string;
  /** By lower-case name; several values of one name in the order they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly bytes: number;
}

/** A request as signatures and operations see it. */
export interface RpcRequest extends RequestHead {
  readonly body: Uint8Array;
  readonly query: ParameterTexts;
  readonly form: ParameterTexts;
  /** Query and form together. */
  readonly parameters: ParameterTexts;
}

export function readHead(request: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>): RequestHead {
  const { method = '', url = '', rawHeaders } = request;
  const headers = new Map<string, string[]>();
  let bytes = url.length;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    bytes += name.length + value.length;
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  return { method, path, queryText: mark === -1 ? '' : url.slice(mark + 1), headers, bytes };
}

/** The one value of a header, or null. Errors: ApiError 400 when it came twice: readers differ in which they believe. */
export function headerOf(head: Pick<RequestHead, 'headers'>, name: string): string | null {
  const values = head.headers.get(name);
  if (values === undefined) return null;
  if (values.length > 1) throw new ApiError(400, 'InvalidParameter', `The header ${name} is given twice.`);
  return values[0] ?? null;
}

/** The host name that was called, for an answer. */
export function hostOf({ headers }: RequestHead): string {
  return (headers.get('host')?.[0] ?? '').slice(0, 255);
}

/** Errors: ApiError 400 when the parameters cannot be read without doubt. */
export function decodeRequest(head: RequestHead, body: Uint8Array): RpcRequest {
  const query = decodeParameters(head.queryText);
  if (body.length > 0 && isSignedJson(head)) {
    return { ...head, body, query, form: new Map(), parameters: mergeJsonBody(query, body) };
  }
  const form = body.length === 0 ? new Map<string, string>() : decodeForm(head, body);
  return { ...head, body, query, form, parameters: mergeParameters(query, form) };
}

/** Whether a request is, or claims to be, signed as V3 has it; one that claims it twice is refused where that is read. */
export function claimsV3({ headers }: Pick<RequestHead, 'headers'>): boolean {
  return headers.get('authorization')?.some((value) => value.startsWith('ACS3-')) === true;
}

/** A V1 signature covers query and form only: with one, a JSON body could be anybody's. */
function isSignedJson(head: RequestHead): boolean {
  return contentType(head) === 'application/json' && claimsV3(head);
}

function contentType(head: RequestHead): string {
  return ((headerOf(head, 'content-type') ?? '').split(';', 1)[0] ?? '').trim().toLowerCase();
}

function decodeForm(head: RequestHead, body: Uint8Array): ParameterTexts {
  if (contentType(head) !== 'application/x-www-form-urlencoded') {
    throw new ApiError(400, 'InvalidContentType', 'The body is not of type application/x-www-form-urlencoded.', {
      hint: 'Send parameters in the query, or as a form body.',
    });
  }
  return decodeParameters(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'));
}
