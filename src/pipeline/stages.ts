import { connect } from 'node:net';
import { CodedError, messageOf } from '../lib/errors.ts';
import { type HostPolicy, resolveAllowed } from '../lib/host-policy.ts';
import type { Json } from '../lib/json-value.ts';

/** One step on the way to a server, in the order in which they are taken. */
export type StageName =
  | 'name resolution'
  | 'TCP'
  | 'TLS'
  | 'login'
  | 'grants'
  | 'binlog settings'
  | 'advertised brokers'
  | 'tunnel';

export interface Stage {
  readonly stage: StageName;
  /** `skipped`: the data source does without it, or a stage before it failed. */
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** As it was found. */
  readonly found: string;
  /** Of a failure: a code of docs/errors.md, where there is one. */
  readonly code: string | null;
  /** What to do; empty when there is nothing. */
  readonly remedy: string;
}

export interface ProbeOptions {
  readonly settings: Json;
  readonly signal: AbortSignal;
}

export function passed(stage: StageName, found: string): Stage {
  return { stage, outcome: 'passed', found, code: null, remedy: '' };
}

export function skipped(stage: StageName, found: string): Stage {
  return { stage, outcome: 'skipped', found, code: null, remedy: '' };
}

export function failed(stage: StageName, error: unknown, remedy = ''): Stage {
  const { code = null, hint = remedy } = error instanceof CodedError ? error : {};
  return { stage, outcome: 'failed', found: messageOf(error), code, remedy: hint };
}

const TCP_TIMEOUT_MS = 5000;

/** The first two stages: what the name stands for, and whether something listens there. Ends with a failure. */
export async function* probeAddress(
  { host, port, hosts }: { readonly host: string; readonly port: number; readonly hosts: HostPolicy },
  signal: AbortSignal,
): AsyncGenerator<Stage> {
  try {
    const { addresses, lookup } = await resolveAllowed(host, hosts);
    const names = addresses.map(({ address }) => address);
    yield passed('name resolution', names.includes(host) ? `${host} is an address` : `${host} is ${names.join(', ')}`);
    yield await new Promise<Stage>((resolve) => {
      const socket = connect({ host, port, lookup, timeout: TCP_TIMEOUT_MS, signal });
      const end = (stage: Stage) => {
        resolve(stage);
        socket.destroy();
      };
      const failure = (error: Error) =>
        end(
          failed(
            'TCP',
            error,
            `See whether the server listens on port ${port}, and what lies between: firewall, routes.`,
          ),
        );
      socket.once('connect', () => end(passed('TCP', `${host}:${port} accepts connections`)));
      socket.once('timeout', () =>
        failure(new Error(`${host}:${port} did not answer within ${TCP_TIMEOUT_MS / 1000} s`)),
      );
      socket.on('error', failure);
    });
  } catch (error) {
    yield failed('name resolution', error, 'Check the spelling of the host, and the name servers of this machine.');
  }
}

/**
 * What a login that ended so says of TLS and of itself. `tlsCode` is the connector's code for a TLS handshake that failed.
 */
export function* loginStages(
  error: unknown,
  { usesTls, tlsCode }: { readonly usesTls: boolean; readonly tlsCode: string },
): Generator<Stage> {
  if (error instanceof CodedError && error.code === tlsCode) {
    yield failed('TLS', error);
    return;
  }
  // A server that was not reached through TLS has not refused anybody.
  yield usesTls ? passed('TLS', 'encrypted') : WITHOUT_TLS;
  yield failed('login', error);
}

export const WITHOUT_TLS: Stage = skipped('TLS', 'the data source asks for none: passwords and rows travel in clear');
