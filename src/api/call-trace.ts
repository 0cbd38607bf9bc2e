import type { IncomingMessage } from 'node:http';
import { plainAddress } from '../lib/address-ranges.ts';
import type { AccessKey } from '../tasks/access-service.ts';
import type { Operation } from './operation.ts';
import type { Format } from './rpc/answer.ts';
import type { ParameterTexts } from './rpc/parameters.ts';
import type { RequestHead } from './rpc/request.ts';
import { newRequestId } from './rpc/request-id.ts';

/** What is known of a call while it is answered. The steps of the gateway fill it in. */
export interface CallTrace {
  readonly requestId: string;
  /** Of `performance.now()`. */
  readonly startedAt: number;
  /** The address it came from. */
  readonly from: string;
  readonly userAgent: string;
  format: Format;
  action: string;
  version: string;
  operation: Operation | null;
  /** As the call says. */
  accessKeyId: string | null;
  /** Null until it is authenticated; so are the parameters. */
  key: AccessKey | null;
  parameters: ParameterTexts | null;
  /** The error's code, or `fail` when Data says so. */
  code: string | null;
}

const USER_AGENT_LENGTH_MAX = 200;

export function newTrace({ socket }: IncomingMessage, head: RequestHead): CallTrace {
  return {
    requestId: newRequestId(),
    startedAt: performance.now(),
    from: plainAddress(socket.remoteAddress ?? ''),
    userAgent: (head.headers.get('user-agent')?.[0] ?? '').slice(0, USER_AGENT_LENGTH_MAX),
    format: 'json',
    action: '',
    version: '',
    operation: null,
    accessKeyId: null,
    key: null,
    parameters: null,
    code: null,
  };
}
