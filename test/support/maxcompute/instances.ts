import { randomUUID } from 'node:crypto';
import { escapeXml, tagText } from '../../../src/connectors/maxcompute/protocol/xml.ts';
import type { Catalog } from './catalog.ts';
import { Refusal, XML } from './refusal.ts';
import { SqlFailure } from './sql/sql-failure.ts';
import { SqlSession } from './sql/sql-session.ts';
import { parseStatement } from './sql/statement.ts';

interface Instance {
  readonly id: string;
  readonly guid: string;
  readonly source: string;
  readonly task: string;
  readonly ok: boolean;
  readonly result: string;
  polls: number;
}

/** Statements that were told to run. Each runs at once, and says so at the second question. */
export class Instances {
  readonly #catalog: Catalog;
  readonly #instances = new Map<string, Instance>();
  /** Every statement that ran, oldest first. */
  readonly statements: string[] = [];

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Returns the id; the same job, known by its Guid, is not run twice. */
  submit(project: string, source: string): string {
    const guid = tagText(source, 'Guid') ?? randomUUID();
    for (const known of this.#instances.values()) if (known.guid === guid) return known.id;
    const query = tagText(source, 'Query');
    if (query === null) throw new Refusal(400, 'InvalidParameter', 'the job has no query', XML);
    this.statements.push(query);
    const id = `${Date.now()}${randomUUID().slice(0, 8)}`;
    const task = tagText(source, 'Name') ?? 'AnonymousSQLTask';
    this.#instances.set(id, { id, guid, source, task, polls: 0, ...this.#run(project, query, settingsOf(source)) });
    return id;
  }

  /** Answers a question about an instance: `action` is '', `instancestatus`, `taskstatus`, `result` or `source`. */
  show(id: string, action: string): string {
    const instance = this.#instances.get(id);
    if (instance === undefined) throw new Refusal(404, 'NoSuchObject', `there is no instance ${id}`, XML);
    const isTerminated = instance.polls > 0;
    const { ok, result } = instance;
    const task = `<Name>${escapeXml(instance.task)}</Name>`;
    switch (action) {
      case 'source':
        return /<Job>[\s\S]*<\/Job>/.exec(instance.source)?.[0] ?? '';
      case 'result':
        return `<Instance><Tasks><Task Type="SQL">${task}<Result Transform="Base64" Format="csv"><![CDATA[${Buffer.from(result).toString('base64')}]]></Result></Task></Tasks></Instance>`;
      case 'taskstatus': {
        const status = isTerminated ? (ok ? 'Success' : 'Failed') : 'Running';
        return `<Instance><Status>${statusOf(isTerminated)}</Status><Tasks><Task Type="SQL">${task}<Status>${status}</Status></Task></Tasks></Instance>`;
      }
      default:
        instance.polls += 1;
        return `<Instance><Status>${statusOf(isTerminated)}</Status></Instance>`;
    }
  }

  #run(project: string, query: string, settings: Readonly<Record<string, string>>): Pick<Instance, 'ok' | 'result'> {
    try {
      return { ok: true, result: parseStatement(query)(new SqlSession(this.#catalog, project, settings)) };
    } catch (error) {
      if (error instanceof SqlFailure) return { ok: false, result: error.message };
      throw error;
    }
  }
}

function statusOf(isTerminated: boolean): string {
  return isTerminated ? 'Terminated' : 'Running';
}

function settingsOf(source: string): Readonly<Record<string, string>> {
  const property = source.split('<Property>').find((one) => tagText(one, 'Name') === 'settings') ?? '';
  return JSON.parse(tagText(property, 'Value') ?? '{}') as Readonly<Record<string, string>>;
}
