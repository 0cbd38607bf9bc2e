import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomOf } from '../../bench/workload.ts';
import { badBytes } from './fuzz-bytes.ts';
import { badCall, goodCall } from './fuzz-calls.ts';
import { mutated } from './fuzz-changes.ts';
import { bytesOf, signed } from './fuzz-requests.ts';
import { type RawAnswer, RawClient } from './raw-client.ts';
import { WholeService } from './whole-service.ts';

const CONNECTIONS = 64;
const FINDINGS_MAX = 20;
/** What the heap may grow by from the first twentieth to the end. */
const GROWTH_MIB_MAX = 48;

export interface ApiFuzzResult {
  readonly seconds: number;
  readonly requests: number;
  readonly mutated: number;
  /** Answers by status and code. */
  readonly answers: Readonly<Record<string, number>>;
  readonly grownMiB: number;
  /** Broken promises, each with the number of its request. */
  readonly findings: readonly string[];
}

/**
 * Sends the whole service requests that are malformed, each in one of three ways: bytes that are no HTTP; calls signed as they
 * should be, with parameters that are not; and signed requests that were changed afterwards, of which none may be accepted. Each
 * must be answered, with a documented code and an id; nothing may be a defect, and memory stays flat.
 */
export async function apiFuzzCampaign(options: {
  malformed: number;
  mutated: number;
  seed: number;
  say?: (line: string) => void;
}): Promise<ApiFuzzResult> {
  const { malformed, seed, say = () => {} } = options;
  const all = malformed + options.mutated;
  const service = await WholeService.open({ headersTimeoutMs: 1000, requestTimeoutMs: 2000 });
  const codes = documentedCodes();
  const answers: Record<string, number> = {};
  const findings: string[] = [];
  const begun = performance.now();
  let next = 0;
  let heapBefore = 0;

  const one = async (client: RawClient, number: number): Promise<void> => {
    const random = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
    const { way, bytes } = makeRequest(random, service.port, number < options.mutated);
    const find = (what: string) =>
      findings.push(`${number} (${way}): ${what}: ${JSON.stringify(bytes.toString('latin1').slice(0, 1500))}`);
    const got = way === 'bytes' ? await client.tell(bytes) : [await client.ask(bytes)];
    // A request that ends too early may go without an answer; and 100 is none yet.
    for (const answer of got.filter((one) => one?.status !== 100)) {
      if (answer === null) {
        find('was not answered');
        continue;
      }
      const { code, wrong } = readCode(answer, codes);
      const name = `${answer.status} ${code}`;
      answers[name] = (answers[name] ?? 0) + 1;
      if (wrong !== null) find(wrong);
      if (way === 'mutated' && answer.status < 400) find('was accepted');
      if (way === 'good' && answer.status === 400 && code === 'SignatureDoesNotMatch') find('was not accepted');
    }
    if (service.defects.length > 0) find(`is a defect: ${JSON.stringify(service.defects.splice(0))}`);
  };

  const worker = async (): Promise<void> => {
    const client = new RawClient(service.port);
    while (next < all && findings.length < FINDINGS_MAX) {
      const number = next++;
      if (number === Math.floor(all / 20)) heapBefore = heapMiB();
      if ((number + 1) % 100_000 === 0) say(`${number + 1} of ${all} requests`);
      try {
        await one(client, number);
      } catch (error) {
        findings.push(`${number}: ${String(error)}`);
      }
    }
    client.close();
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    const grownMiB = heapMiB() - heapBefore;
    if (grownMiB > GROWTH_MIB_MAX) findings.push(`the heap grew by ${grownMiB} MiB`);
    if (({} as Record<string, unknown>)['polluted'] !== undefined) findings.push('Object.prototype is polluted');
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, requests: next, mutated: Math.min(next, options.mutated), answers, grownMiB, findings };
  } finally {
    await service.close();
  }
}

function makeRequest(
  random: () => number,
  port: number,
  isMutated: boolean,
): { readonly way: 'mutated' | 'bytes' | 'bad' | 'good'; readonly bytes: Buffer } {
  if (isMutated) return { way: 'mutated', bytes: mutated(random, port) };
  const dice = random();
  if (dice < 0.2) return { way: 'bytes', bytes: badBytes(random, port) };
  const [way, call] = dice < 0.21 ? (['good', goodCall(random)] as const) : (['bad', badCall(random)] as const);
  return { way, bytes: bytesOf(signed(random, call, port), port) };
}

/** The code of an answer, and what is wrong with it as an answer. */
function readCode(
  { status, headers, body }: RawAnswer,
  codes: ReadonlySet<string>,
): { readonly code: string; readonly wrong: string | null } {
  const id = headers['x-acs-request-id'] ?? '';
  if (!/^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/.test(id))
    return { code: '', wrong: `an answer ${status} without a request id` };
  const isXml = headers['content-type']?.startsWith('text/xml') === true;
  if (body === '' && status >= 400) return { code: 'no body', wrong: null }; // of HEAD
  if (!body.includes(id)) return { code: '', wrong: `an answer ${status} whose body has another request id` };
  if (status === 200) return { code: '', wrong: null };
  const code = (isXml ? /<Code>([^<]+)<\/Code>/ : /"Code":"([^"]+)"/).exec(body)?.[1] ?? '';
  if (status >= 500) return { code, wrong: `an answer ${status} ${code}` };
  const isDocumented = codes.has(code) || /^Missing[A-Z]\w*$/.test(code);
  return { code, wrong: isDocumented ? null : `an answer with the undocumented code ${code}` };
}

function documentedCodes(): ReadonlySet<string> {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'errors.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  return new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')),
  );
}

function heapMiB(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}
