import { escapeXml } from '../../../src/connectors/maxcompute/protocol/xml.ts';
import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';

const WHEN = 'Mon, 06 May 2024 07:08:09 GMT';
/** What a reply of the metadata has beside its body; clients insist on them. */
export const METADATA_HEADERS = {
  'Content-Type': 'application/xml',
  'x-odps-owner': 'double',
  'x-odps-creation-time': WHEN,
  'Last-Modified': WHEN,
} as const;

/** The metadata that the double shows under `/api`: its projects, their tables, and where the tunnel is. */
export function metadata({ pathname, searchParams, host }: URL, tables: ReadonlyMap<string, DoubleTable>): string {
  const [, project = '', kind = '', name = ''] =
    /^\/api\/projects\/([^/]+)(?:\/(\w+)(?:\/([^/]+))?)?$/.exec(pathname) ?? [];
  if (![...tables.keys()].some((path) => path.startsWith(`projects/${project}/`)))
    throw new Refusal(404, 'NoSuchObject', `ODPS-0420111: there is no project ${project}`, METADATA_HEADERS);
  if (kind === '')
    return `<?xml version="1.0"?><Project><Name>${escapeXml(project)}</Name><Type>managed</Type><Owner>double</Owner><State>AVAILABLE</State><Properties/></Project>`;
  if (kind === 'tunnel') return host;
  if (kind !== 'tables') throw new Refusal(404, 'NoSuchObject', `${kind} are not served here`, METADATA_HEADERS);
  const schema = searchParams.get('curr_schema');
  const path = `projects/${project}${schema === null ? '' : `/schemas/${schema}`}/tables/${name}`;
  const table = tables.get(path);
  if (table === undefined)
    throw new Refusal(404, 'NoSuchObject', `ODPS-0130131: there is no table ${name}`, METADATA_HEADERS);
  return tableXml(table, searchParams.has('extended'));
}

function tableXml(table: DoubleTable, extended: boolean): string {
  const reserved = JSON.stringify({ Transactional: String(table.key.length > 0), PrimaryKey: table.key });
  const schema = JSON.stringify({ ...table.schema(), ...(extended ? { Reserved: reserved } : {}) });
  return (
    `<?xml version="1.0"?><Table><Name>${escapeXml(table.name)}</Name><TableId>1</TableId><Owner>double</Owner>` +
    `<Schema format="Json"><![CDATA[${schema}]]></Schema></Table>`
  );
}
