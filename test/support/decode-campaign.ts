import { Worker } from 'node:worker_threads';
import { randomOf } from '../../bench/workload.ts';
import type { MysqlTable } from '../../src/connectors/mysql/types.ts';
import { decodeLog, type Decoded } from './decode-input.ts';
import { framed } from './log-bytes.ts';
import { DAMAGES } from './log-compression.ts';
import { buildLog, GROWING, pick } from './log-grammar.ts';
import { MUTATIONS } from './log-mutations.ts';
import { type RecordedLog, recordedLogs } from './recorded-logs.ts';

/** What one input may take of a processor: other work on the machine is not a finding. */
const INPUT_MS_MAX = 3000;
/** What the process may grow by, over the whole campaign: an event of 16 MiB is copied several times before it is collected. */
const GROWTH_MIB_MAX = 800;
/** One of so many grammar-built logs has an event that is split over packets. */
const HUGE_EVERY = 2000;

export interface DecodeResult {
  readonly inputs: number;
  readonly images: number;
  /** Inputs by how they ended: a code, or `read to the end`. */
  readonly ends: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly grownMiB: number;
  /** Broken promises, each with what is needed to see it again. */
  readonly findings: readonly string[];
}

/** A recorded stream as its packets, with what it delivers undamaged. */
interface Original {
  readonly log: RecordedLog;
  readonly payloads: readonly Buffer[];
  readonly decoded: Decoded;
}

/**
 * Feeds damaged and made-up logs to the reader: only typed errors, bounded time and memory, whole rows; and of a log whose
 * damage can be known, nothing behind the damage. `only` repeats one input.
 */
export async function decodeCampaign(options: {
  inputs: number;
  seed: number;
  only?: number | null;
  say?: (line: string) => void;
}): Promise<DecodeResult> {
  const { inputs, seed, only = null, say = () => {} } = options;
  const originals = await readOriginals();
  const findings: string[] = [];
  const ends: Record<string, number> = {};
  const current = new Int32Array(new SharedArrayBuffer(4));
  const watchdog = watch(current, seed);
  const before = process.resourceUsage().maxRSS;
  let images = 0;
  let slowestMs = 0;
  for (let input = only ?? 0; input < (only === null ? inputs : only + 1); input += 1) {
    Atomics.store(current, 0, input);
    const random = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(input + 1, 0x85ebca6b));
    const begun = process.cpuUsage();
    let name = '';
    try {
      const made = makeInput(random, originals);
      name = made.name;
      const decoded = await decodeLog(made.chunks, made);
      images += decoded.images.length;
      const end = decoded.error?.code ?? 'read to the end';
      ends[end] = (ends[end] ?? 0) + 1;
      made.check(decoded);
    } catch (error) {
      const what =
        error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3).join(' ') : String(error);
      findings.push(`input ${input} (${name}): ${what}`);
      if (findings.length >= 20) break;
    }
    const { user, system } = process.cpuUsage(begun);
    const tookMs = (user + system) / 1000;
    slowestMs = Math.max(slowestMs, tookMs);
    if (tookMs > INPUT_MS_MAX) findings.push(`input ${input} (${name}): took ${Math.round(tookMs)} ms of a processor`);
    if ((input + 1) % 50_000 === 0) say(`${input + 1} of ${inputs} inputs`);
  }
  await watchdog.terminate();
  const grownMiB = Math.round((process.resourceUsage().maxRSS - before) / 1024);
  if (grownMiB > GROWTH_MIB_MAX) findings.push(`the process grew by ${grownMiB} MiB`);
  return { inputs, images, ends, slowestMs: Math.round(slowestMs), grownMiB, findings };
}

async function readOriginals(): Promise<Original[]> {
  const originals: Original[] = [];
  for (const log of recordedLogs()) {
    for (const { name, packets } of log.streams) {
      const payloads = packets.map((packet) => Buffer.from(packet, 'base64'));
      const decoded = await decodeLog([framed(payloads)], log);
      if (name === 'served' && decoded.error !== null) throw decoded.error;
      originals.push({ log, payloads, decoded });
    }
  }
  return originals;
}

interface Input {
  readonly name: string;
  readonly chunks: readonly Buffer[];
  readonly tables: readonly MysqlTable[];
  readonly charsets: Readonly<Record<string, string>>;
  readonly server: string;
  check(decoded: Decoded): void;
}

function makeInput(random: () => number, originals: readonly Original[]): Input {
  const original = pick(random, originals);
  const { charsets } = original.log;
  if (random() < 0.3) return builtInput(random, original);
  const name = pick(random, Object.keys(MUTATIONS));
  const foreign = pick(random, originals).payloads;
  const { chunks, detectable } = mutate(
    name,
    random,
    original.payloads.map((payload) => Buffer.from(payload)),
    foreign,
  );
  return {
    name: `${original.log.server}, ${name}`,
    chunks,
    tables: original.log.tables,
    charsets,
    server: original.log.server,
    check: (decoded) => {
      if (detectable && !decoded.images.every((image, index) => image === original.decoded.images[index]))
        throw new Error('an image was delivered that is not of the log');
    },
  };
}

/** A made-up log: as it should be, damaged as recorded ones are, or damaged within what is compressed. */
function builtInput(random: () => number, { log, payloads: recorded }: Original): Input {
  const compressed = pick(random, ['no', 'no', 'mysql', 'mariadb'] as const);
  const isWhole = random() < 0.5;
  // What swells takes a while to swell.
  const damage =
    isWhole || compressed === 'no' ? 'none' : pick(random, random() < 0.02 ? DAMAGES : DAMAGES.slice(0, -1));
  const huge = random() < 1 / HUGE_EVERY;
  const { payloads, images } = buildLog(random, recorded.slice(0, 2), { huge, compressed, damage });
  const name = isWhole || compressed !== 'no' ? 'whole' : pick(random, Object.keys(MUTATIONS));
  const chunks = name === 'whole' ? [framed(payloads)] : mutate(name, random, [...payloads], recorded).chunks;
  return {
    name: `built, ${name}, compressed: ${compressed}, ${damage}`,
    chunks,
    tables: [GROWING],
    charsets: log.charsets,
    server: log.server,
    check: ({ images: delivered, error }) => {
      if (!isWhole) return;
      if (error !== null || delivered.length !== images)
        throw new Error(`${delivered.length} of ${images} images: ${String(error)}`);
    },
  };
}

function mutate(name: string, random: () => number, payloads: Buffer[], foreign: readonly Buffer[]) {
  const mutation = MUTATIONS[name];
  if (mutation === undefined) throw new Error(`no mutation ${name}`);
  return mutation({ random, payloads, foreign });
}

/** Ends the process, saying at which input, when that takes a minute: nothing else can, once decoding goes round for ever. */
function watch(current: Int32Array, seed: number): Worker {
  const code = `const { workerData: { current, seed } } = require('node:worker_threads');
    let last = -1, since = Date.now();
    setInterval(() => {
      const now = Atomics.load(current, 0);
      if (now !== last) { last = now; since = Date.now(); return; }
      if (Date.now() - since < 60_000) return;
      require('node:fs').writeSync(2, 'input ' + now + ' of seed ' + seed + ' does not end\\n');
      process.kill(process.pid, 'SIGKILL');
    }, 1000);`;
  return new Worker(code, { eval: true, workerData: { current, seed } });
}
