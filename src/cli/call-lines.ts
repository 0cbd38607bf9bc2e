import type { Call, SignedCall } from './sign-call.ts';

/** The call for curl, signed: it holds no secret, and is good once, within 15 minutes. */
export function curlLine(endpoint: URL, { headers, body }: SignedCall): string {
  const fields = Object.entries(headers)
    .filter(([name]) => name !== 'host')
    .map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  return ['curl -sS', quote(endpoint.href), ...fields, `--data-raw ${quote(body)}`].join(' ');
}

/**
 * The call for the vendor's command line, which signs it itself: keys come from its profile or its environment.
 * It knows nothing of this version, so `--force` lets it send what it is given.
 */
export function aliyunLine({ action, version, parameters }: Call, endpoint: URL): string {
  return [
    `aliyun dataworks-public ${action} --version ${version} --force --method POST --region cn-shanghai`,
    `--endpoint ${endpoint.host}`,
    ...(endpoint.protocol === 'http:' ? ['--insecure'] : []),
    ...[...parameters].map(([name, value]) => `--${name} ${quote(value)}`),
  ].join(' ');
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
