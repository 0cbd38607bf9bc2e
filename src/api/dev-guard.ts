import { ApiError } from './errors.ts';
import { headerOf, type RequestHead } from './rpc/request.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/**
 * With `--dev` nobody signs, so a web page in a browser on this machine could call the service. Such calls carry the
 * page's origin, or a host name that is not loopback. Errors: ApiError 403.
 */
export function refuseForeignPages(head: RequestHead): void {
  const host = headerOf(head, 'host') ?? '';
  const origin = headerOf(head, 'origin');
  const sameOrigin = origin === null || origin === `http://${host}` || origin === `https://${host}`;
  if (sameOrigin && (host === '' || LOOPBACK.test(host))) return;
  throw new ApiError(403, 'Forbidden.Access', 'Access is forbidden. In development mode only this machine may call.', {
    hint: 'Call it as 127.0.0.1 or localhost, or start it without --dev.',
  });
}
