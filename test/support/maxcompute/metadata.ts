import { escapeXml } from '../../../src/connectors/maxcompute/protocol/xml.ts';
import type { Catalog } from './catalog.ts';
import type { Instances } from './instances.ts';
import { Refusal, XML } from './refusal.ts';
import type { DoubleTable } from './tables.ts';

const WHEN = 'Mon, 06 May 2024 07:08:09 GMT';
/** What a reply of the metadata has beside its body; clients insist on them. */
const HEADERS = {
  ...XML,
  'x-odps-owner': 'double',
  'x-odps-creation-time': WHEN,
  'x-odps-start-time': WHEN,
  'x-odps-end-time': WHEN,
  'Last-Modified': WHEN,
} as const;
const PAGE = 100;

/** What the double answers a call with. */
export interface Answer {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What is under `/api`: projects, their tables and partitions, where the tunnel is, and statements. */
export class Metadata {
  readonly #catalog: Catalog;
  readonly #instances: Instances;

  constructor(catalog: Catalog, instances: Instances) {
    this.#catalog = catalog;
    this.#instances = instances;
  }

  answer(method: string, url: URL, body: string): Answer {
    const [, project = '', kind = '', name = ''] =
      /^\/api\/projects\/([^/]+)(?:\/(\w+)(?:\/([^/]+))?)?$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (!this.#catalog.hasProject(project)) missing(`ODPS-0420111: there is no project ${project}`);
    const has = (action: string) => url.searchParams.has(action);
    switch (`${method} ${kind}${name === '' ? '' : '/'}`) {
      case 'GET ':
        return xml(
          `<Project><Name>${escapeXml(project)}</Name><Type>managed</Type><Owner>double</Owner><State>AVAILABLE</State><Properties/></Project>`,
        );
      case 'GET tunnel':
        return { headers: HEADERS, body: url.host };
      case 'GET tables':
        return this.#tables(project, url.searchParams);
      case 'GET tables/':
        return this.#table({ project, name }, url.searchParams);
      case 'POST instances': {
        const id = this.#instances.submit(project, body);
        return { status: 201, headers: { ...HEADERS, Location: `${url.origin}${url.pathname}/${id}` }, body: '' };
      }
      case 'GET instances/':
        return xml(this.#instances.show(name, ['source', 'result', 'taskstatus'].find(has) ?? ''));
      default:
        return missing(`${method} of ${kind} is not served here`);
    }
  }

  #tables(project: string, params: URLSearchParams): Answer {
    const wanted = params.get('name')?.toLowerCase() ?? '';
    const tables = this.#catalog.tables(project, params.get('curr_schema'));
    const found = tables.filter(({ name }) => name.toLowerCase().includes(wanted));
    const pages = paged(found, params);
    return xml(`<Tables>${pages.head}${pages.items.map((table) => tableXml(table, false)).join('')}</Tables>`);
  }

  #table({ project, name }: { project: string; name: string }, params: URLSearchParams): Answer {
    const table = this.#catalog.find({ project, schema: params.get('curr_schema'), table: name });
    if (table === null) return missing(`ODPS-0130131: there is no table ${name}`);
    const spec = params.get('partition');
    if (spec !== null) return partitionOf(table, spec);
    if (!params.has('partitions')) return xml(tableXml(table, params.has('extended')));
    const pages = paged([...table.partitions.keys()].sort(), params);
    return xml(`<Partitions>${pages.head}${pages.items.map(partitionXml).join('')}</Partitions>`);
  }
}

/** A page begins behind its marker. */
function paged<T>(all: readonly T[], params: URLSearchParams): { readonly head: string; readonly items: readonly T[] } {
  const from = Number(params.get('marker') ?? '') || 0;
  const size = Number(params.get('maxitems') ?? PAGE);
  const marker = from + size < all.length ? String(from + size) : '';
  return { head: `<Marker>${marker}</Marker><MaxItems>${size}</MaxItems>`, items: all.slice(from, from + size) };
}

/** `spec` has its values in quotes. */
function partitionOf(table: DoubleTable, spec: string): Answer {
  const partition = spec.replace(/='([^']*)'/g, '=$1');
  const rows = table.partitions.get(partition) ?? missing(`NoSuchPartition: there is no partition ${partition}`);
  const facts = JSON.stringify({ createTime: 0, lastModifiedTime: 0, recordNum: rows.length, size: rows.length });
  return xml(`<Partition><Schema>${escapeXml(facts)}</Schema></Partition>`);
}

function partitionXml(partition: string): string {
  const columns = partition.split(',').map((level) => {
    const end = level.indexOf('=');
    const value = escapeXml(level.slice(end + 1)).replaceAll('"', '&quot;');
    return `<Column Name="${escapeXml(level.slice(0, end))}" Value="${value}"/>`;
  });
  return `<Partition>${columns.join('')}</Partition>`;
}

function tableXml(table: DoubleTable, extended: boolean): string {
  const reserved = JSON.stringify({
    Transactional: String(table.properties['transactional'] === 'true' || table.key.length > 0),
    PrimaryKey: table.key,
    schema_version: String(table.schemaVersion),
    ...table.properties,
  });
  const schema = JSON.stringify({
    ...table.shape().schema,
    comment: table.comment,
    lifecycle: table.lifecycle ?? -1,
    recordNum: [...table.partitions.values()].reduce((sum, rows) => sum + rows.length, 0),
    ...(extended ? { Reserved: reserved } : {}),
  });
  return (
    `<Table><Name>${escapeXml(table.name)}</Name><TableId>1</TableId><Owner>double</Owner>` +
    `<Comment>${escapeXml(table.comment)}</Comment><Schema format="Json">${escapeXml(schema)}</Schema></Table>`
  );
}

function xml(body: string): Answer {
  return { headers: HEADERS, body: `<?xml version="1.0"?>${body}` };
}

function missing(what: string): never {
  throw new Refusal(404, 'NoSuchObject', what, XML);
}
