import type { Call, ServiceClient } from './service-client.ts';
import { ServiceError } from './service-error.ts';
import type { TunnelTarget } from './tunnel-target.ts';
import { attributes, tagText } from './xml.ts';

/** Whether there is such a project, to be seen with this key. Errors: ServiceError, also where the key may not look. */
export async function projectExists(client: ServiceClient, project: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await client.repeat(projectCall(project, [], []), signal);
    return true;
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return false;
    throw error;
  }
}

/** The tunnel's own endpoint, with the scheme of the service's. Errors: ServiceError. */
export async function tunnelEndpoint(client: ServiceClient, project: string, signal?: AbortSignal): Promise<string> {
  const { body } = await client.repeat(projectCall(project, ['tunnel'], [['service', '']]), signal);
  return `${new URL(client.settings.endpoint).protocol}//${body.toString().trim()}`;
}

/*
 * GET /projects/P/tables/T?partitions&expectmarker=true[&marker=M] answers, a page at a time, until the marker is empty
 *
 *   <Partitions><Marker/><MaxItems/><Partition><Column Name="pt" Value="1"/> … </Partition> … </Partitions>
 */
/** The partitions of a table, as `partition` of a target has them, such as `pt=1,region=cn`. Errors: ServiceError. */
export async function partitionsOf(
  client: ServiceClient,
  { project, schema, table }: TunnelTarget,
  signal?: AbortSignal,
): Promise<string[]> {
  const found: string[] = [];
  let marker = '';
  do {
    const params: [string, string][] = [
      ['partitions', ''],
      ['expectmarker', 'true'],
    ];
    if (marker !== '') params.push(['marker', marker]);
    if (schema !== undefined) params.push(['curr_schema', schema]);
    const page = (await client.repeat(projectCall(project, ['tables', table], params), signal)).body.toString();
    for (const [, inner = ''] of page.matchAll(/<Partition>([\s\S]*?)<\/Partition>/g)) found.push(partitionOf(inner));
    marker = tagText(page, 'Marker') ?? '';
  } while (marker !== '');
  return found;
}

function partitionOf(xml: string): string {
  const values = attributes(xml, 'Column', 'Value');
  return attributes(xml, 'Column', 'Name')
    .map((name, level) => `${name}=${values[level] ?? ''}`)
    .join();
}

function projectCall(project: string, rest: readonly string[], params: Call['params']): Call {
  return { method: 'GET', path: ['projects', project, ...rest], params: [...params, ['curr_project', project]] };
}
