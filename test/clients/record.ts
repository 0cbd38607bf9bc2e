import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VendorClient } from './clients.ts';

const DOC = join(import.meta.dirname, '..', '..', 'docs', 'clients.md');
const BEGIN = '<!-- written by npm run test:clients -->\n';
const END = '<!-- end -->\n';
const HEAD = `| run as | client, version | signature | manner | result | date |
|---|---|---|---|---|---|
`;

/** How a client's run ended. */
export interface Outcome {
  readonly client: VendorClient;
  readonly result: 'passed' | 'failed' | 'not run';
}

/** Writes the outcomes into docs/clients.md; the clients that were not asked for keep their lines. */
export function recordOutcomes(outcomes: readonly Outcome[], clients: readonly VendorClient[], date: string): void {
  const doc = readFileSync(DOC, 'utf8');
  const [before, kept, after] = [...split(doc)];
  const lines = clients.flatMap(({ name }) => {
    const outcome = outcomes.find(({ client }) => client.name === name);
    if (outcome !== undefined) return [lineOf(outcome, date)];
    return kept.split('\n').filter((line) => line.startsWith(`| ${name} |`));
  });
  writeFileSync(DOC, `${before}${BEGIN}${HEAD}${lines.join('\n')}\n${END}${after}`);
}

function split(doc: string): [before: string, kept: string, after: string] {
  const [from, to] = [doc.indexOf(BEGIN), doc.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${DOC} has no place for the outcomes`);
  return [doc.slice(0, from), doc.slice(from + BEGIN.length, to), doc.slice(to + END.length)];
}

function lineOf({ client, result }: Outcome, date: string): string {
  const packages = client.packages.map(([name, version]) => `\`${name}\` ${version}`).join(', ');
  return `| ${client.name} | ${packages} | ${client.signature} | ${client.manner} | ${result} | ${date} |`;
}
