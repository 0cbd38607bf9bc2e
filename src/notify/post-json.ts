import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type HostPolicy, resolveAllowed } from '../lib/host-policy.ts';

/** As much of an answer as is looked at. */
const ANSWER_BYTES = 64 * 1024;

export interface PostOptions {
  readonly hosts: HostPolicy;
  /** Ends it, also while the answer comes in. */
  readonly signal: AbortSignal;
}

/**
 * Sends a text of JSON once, on a connection of its own, to an address that the host policy was asked about; follows no
 * redirect. Gives the status and the beginning of the answer.
 * Errors: HostRefused; the system's; an abort.
 */
export async function postJson(
  url: URL,
  body: string,
  { hosts, signal }: PostOptions,
): Promise<{ status: number; text: string }> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const { lookup } = await resolveAllowed(host, hosts);
  signal.throwIfAborted();
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent: false, lookup, signal, headers }, (answer) => {
      const status = answer.statusCode ?? 0;
      let text = '';
      answer.setEncoding('utf8');
      answer.on('error', reject);
      answer.on('data', (piece: string) => {
        text += piece;
        if (text.length <= ANSWER_BYTES) return;
        resolve({ status, text });
        answer.destroy();
      });
      answer.on('end', () => resolve({ status, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
