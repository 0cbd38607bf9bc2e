import { ApiError, missingParameter, unsupportedMethod } from './errors.ts';
import type { Operation } from './operation.ts';
import { headerOf, type RequestHead, type RpcRequest } from './rpc/request.ts';
import { isV3 } from './signature/credential.ts';

/** Errors: ApiError for any path but `/`, and for methods that the vendor's clients do not use. */
export function checkProtocol({ method, path }: RequestHead): void {
  if (path !== '/') throw unknownAction();
  if (['GET', 'POST', 'PUT', 'DELETE'].includes(method)) return;
  throw unsupportedMethod();
}

export interface CalledAction {
  readonly action: string;
  readonly version: string;
}

/** What is called: V3 says it in headers, V1 in parameters; V1 clients send the headers too, unsigned. */
export function calledAction(request: RpcRequest): CalledAction {
  const { parameters } = request;
  if (isV3(request) || !(parameters.has('Action') || parameters.has('Signature'))) {
    return { action: headerOf(request, 'x-acs-action') ?? '', version: headerOf(request, 'x-acs-version') ?? '' };
  }
  return { action: parameters.get('Action') ?? '', version: parameters.get('Version') ?? '' };
}

export interface OperationIndex {
  /** Errors: ApiError when version or action are missing or not served. */
  find(called: CalledAction): Operation;
}

export function indexOperations(operations: readonly Operation[]): OperationIndex {
  const versions = new Map(
    [...Map.groupBy(operations, ({ version }) => version)].map(([version, served]) => [
      version,
      new Map(served.map((operation) => [operation.name, operation])),
    ]),
  );
  return {
    find({ action, version }) {
      if (action === '') throw unknownAction();
      if (version === '') throw missingParameter('Version');
      const served = versions.get(version);
      if (served === undefined) throw unknownVersion([...versions.keys()]);
      const operation = served.get(action);
      if (operation === undefined) throw unknownAction();
      return operation;
    },
  };
}

export function unknownAction(): ApiError {
  const message = 'Specified api is not found, please check your url and method.';
  return new ApiError(404, 'InvalidAction.NotFound', message, { hint: 'docs/api-coverage.md lists what is served.' });
}

function unknownVersion(served: readonly string[]): ApiError {
  const hint = `Use ${served.join(' or ')}.`;
  return new ApiError(400, 'InvalidVersion', 'Specified parameter Version is not valid.', { hint });
}
