import { toPipelineError } from './errors.ts';
import { ServiceClient, type ServiceSettings } from './protocol/service-client.ts';
import { tunnelEndpoint } from './protocol/project-facts.ts';
import type { TunnelTarget } from './protocol/tunnel-target.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { MaxComputeSettings } from './settings.ts';

/** The two endpoints of a project: the one that knows tables and runs SQL, and the one that takes rows. */
export interface Service {
  readonly project: string;
  readonly rest: ServiceClient;
  readonly tunnel: ServiceClient;
}

export function openRest(settings: MaxComputeSettings, retryFirstMs?: number): ServiceClient {
  return new ServiceClient(serviceSettings(settings, settings.endpoint, retryFirstMs));
}

/** Asks where the tunnel is, unless the settings say it. Errors: PipelineError. */
export async function openService(
  settings: MaxComputeSettings,
  retryFirstMs: number,
  signal?: AbortSignal,
): Promise<Service> {
  const rest = openRest(settings, retryFirstMs);
  try {
    const endpoint = settings.tunnelEndpoint ?? (await tunnelEndpoint(rest, settings.project, signal));
    const tunnel = new ServiceClient(serviceSettings(settings, endpoint, retryFirstMs));
    return { project: settings.project, rest, tunnel };
  } catch (error) {
    rest.close();
    throw toPipelineError(error, `asking ${settings.endpoint} for the tunnel of ${settings.project}`);
  }
}

export function closeService({ rest, tunnel }: Service): void {
  rest.close();
  tunnel.close();
}

export function tunnelTarget(
  { project }: Pick<Service, 'project'>,
  { schema, table }: TargetId,
  partition = '',
): TunnelTarget {
  return {
    project,
    ...(schema === '' ? {} : { schema }),
    table,
    ...(partition === '' ? {} : { partition }),
  };
}

function serviceSettings(
  { accessId, accessKey, securityToken, region, hosts }: MaxComputeSettings,
  endpoint: string,
  retryFirstMs?: number,
): ServiceSettings {
  return {
    endpoint,
    credential: {
      accessId,
      accessKey,
      ...(securityToken === undefined ? {} : { securityToken }),
      ...(region === undefined ? {} : { region }),
    },
    hosts,
    ...(retryFirstMs === undefined ? {} : { retryFirstMs }),
  };
}
