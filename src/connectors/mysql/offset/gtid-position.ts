import type { Gtid } from './gtid-set.ts';

interface Last {
  /** `domain-server`. */
  readonly source: string;
  number: bigint;
}

/**
 * A place in the history of MariaDB: per domain the id of its last transaction, all before it passed as well.
 * Text form as the server prints it: `0-1-100,1-2-5` (domain, server, number).
 */
export class GtidPosition {
  readonly #last = new Map<string, Last>();
  /** What was added last: mostly the next one is of the same domain and server. */
  #recent: Last | undefined;

  /** Of two entries of one domain the later holds. Errors: Error if the text is no such position. */
  static parse(text: string): GtidPosition {
    const position = new GtidPosition();
    for (const part of text.replace(/\s+/g, '').split(',')) {
      if (part === '') continue;
      const match = /^(\d+-\d+)-(\d+)$/.exec(part);
      if (match === null) throw new Error(`${part} is no GTID of MariaDB`);
      position.add({ source: match[1] ?? '', number: BigInt(match[2] ?? 0) });
    }
    return position;
  }

  get domains(): readonly string[] {
    return [...this.#last.keys()];
  }

  /** The transaction is the last one of its domain now, whichever server wrote it (C20). */
  add({ source, number }: Gtid): void {
    if (this.#recent?.source === source) {
      this.#recent.number = number;
      return;
    }
    this.#recent = { source, number };
    this.#last.set(domainOf(source), this.#recent);
  }

  isLast({ source, number }: Gtid): boolean {
    const last = this.#last.get(domainOf(source));
    return last !== undefined && last.source === source && last.number === number;
  }

  /** The last transaction of a domain, such as `0-1-100`; undefined when there is none. */
  lastOf(domain: string): (Gtid & { readonly text: string }) | undefined {
    const last = this.#last.get(domain);
    if (last === undefined) return undefined;
    const { source, number } = last;
    return { source, number, text: `${source}-${number}` };
  }

  /** Those of our domains in which `other` has not come so far, as texts. */
  missingIn(other: GtidPosition): string[] {
    return this.domains.flatMap((domain) => {
      const ours = this.lastOf(domain);
      const theirs = other.lastOf(domain);
      if (ours === undefined || (theirs !== undefined && theirs.number > ours.number)) return [];
      return theirs?.text === ours.text ? [] : [ours.text];
    });
  }

  toString(): string {
    return this.domains
      .toSorted((a, b) => Number(a) - Number(b))
      .map((domain) => this.lastOf(domain)?.text)
      .join(',');
  }
}

export function domainOf(source: string): string {
  return source.slice(0, source.indexOf('-'));
}
