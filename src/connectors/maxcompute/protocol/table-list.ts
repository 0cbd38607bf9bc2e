import type { ServiceClient } from './service-client.ts';
import type { TunnelTarget } from './tunnel-target.ts';
import { tagText } from './xml.ts';

/*
 * GET /projects/P/tables?expectmarker=true[&marker=M] answers, a page at a time, until the marker is empty
 *
 *   <Tables><Marker/><MaxItems/><Table><Name>…</Name> … </Table> … </Tables>
 */
/** The names of all tables of a project, or of one of its schemas. Errors: ServiceError. */
export async function listTables(
  client: ServiceClient,
  { project, schema }: Pick<TunnelTarget, 'project' | 'schema'>,
  signal?: AbortSignal,
): Promise<string[]> {
  const found: string[] = [];
  let marker = '';
  do {
    const params: [string, string][] = [['expectmarker', 'true']];
    if (marker !== '') params.push(['marker', marker]);
    if (schema !== undefined) params.push(['curr_schema', schema]);
    params.push(['curr_project', project]);
    const { body } = await client.repeat({ method: 'GET', path: ['projects', project, 'tables'], params }, signal);
    const page = body.toString();
    for (const [, table = ''] of page.matchAll(/<Table>([\s\S]*?)<\/Table>/g)) found.push(tagText(table, 'Name') ?? '');
    marker = tagText(page, 'Marker') ?? '';
  } while (marker !== '');
  return found;
}
