import { pick } from './log-grammar.ts';
import { framed, repaired } from './log-bytes.ts';

type Random = () => number;

export interface Mutated {
  readonly chunks: readonly Buffer[];
  /** The damage shows in a sum, a length or the end of the bytes: what comes before it is delivered, and nothing else. */
  readonly detectable: boolean;
}

interface Given {
  readonly random: Random;
  /** Copies, free to be changed. */
  readonly payloads: Buffer[];
  /** Events of another server or another stream. */
  readonly foreign: readonly Buffer[];
}

/** The ways in which a log is damaged, by name. */
export const MUTATIONS: Readonly<Record<string, (given: Given) => Mutated>> = {
  'bits flipped': ({ random, payloads }) => {
    flip(random, pick(random, payloads), 1);
    return { chunks: [framed(payloads)], detectable: true };
  },
  'bits flipped, sum repaired': ({ random, payloads }) => {
    const payload = pick(random, payloads);
    flip(random, payload, 20);
    return seamless(payloads, payload);
  },
  'type changed, sum repaired': ({ random, payloads }) => {
    const payload = pick(random, payloads);
    payload[5] = pick(
      random,
      [2, 4, 15, 16, 19, 23, 24, 25, 26, 27, 30, 31, 32, 33, 34, 38, 39, 40, 42, 160, 162, 165, 170],
    );
    return seamless(payloads, payload);
  },
  'cut anywhere': ({ random, payloads }) => {
    const bytes = framed(payloads);
    return { chunks: [bytes.subarray(0, Math.floor(random() * bytes.length))], detectable: true };
  },
  'in small chunks': ({ random, payloads }) => {
    const bytes = framed(payloads);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + Math.floor(random() * 300);
      chunks.push(bytes.subarray(at, next));
      at = next;
    }
    return { chunks, detectable: true };
  },
  'an event shortened': ({ random, payloads }) => {
    const at = Math.floor(random() * payloads.length);
    const payload = payloads[at] ?? Buffer.alloc(0);
    payloads[at] = payload.subarray(0, Math.floor(random() * payload.length));
    return { chunks: [framed(payloads)], detectable: true };
  },
  'an event shortened, length and sum repaired': ({ random, payloads }) => {
    const at = Math.floor(random() * payloads.length);
    const payload = payloads[at] ?? Buffer.alloc(0);
    payloads[at] = repaired(payload.subarray(0, Math.floor(random() * payload.length)), { length: true });
    return { chunks: [framed(payloads)], detectable: false };
  },
  'a length blown up': ({ random, payloads }) => {
    const payload = pick(random, payloads);
    const at = 20 + Math.floor(random() * Math.max(1, payload.length - 24 - 20));
    const blown = pick(random, [
      [0xfc, 0xff, 0xff],
      [0xfd, 0xff, 0xff, 0xff],
      [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0],
      [0xff, 0xff, 0xff, 0x7f],
      [0xfe, 0, 0, 0, 0, 1, 0, 0, 0],
    ]);
    for (const [index, byte] of blown.entries()) if (at + index < payload.length - 4) payload[at + index] = byte;
    return seamless(payloads, payload);
  },
  'the length of an event wrong, sum repaired': ({ random, payloads }) => {
    const payload = pick(random, payloads);
    if (payload.length >= 24) payload.writeUInt32LE(Math.floor(random() * 2 ** 32), 10);
    repaired(payload, { length: false });
    return { chunks: [framed(payloads)], detectable: true };
  },
  'the length of a packet wrong': ({ random, payloads }) => {
    const at = Math.floor(random() * payloads.length);
    const wrong = framed([payloads[at] ?? Buffer.alloc(0)]);
    wrong.writeUIntLE(random() < 0.3 ? 0xffffff : Math.floor(random() * 2 ** 24), 0, 3);
    return { chunks: [framed(payloads.slice(0, at)), wrong, framed(payloads.slice(at + 1))], detectable: true };
  },
  'events in another order': ({ random, payloads }) => {
    for (let turn = 0; turn < 1 + random() * 4; turn += 1) {
      const [taken] = payloads.splice(Math.floor(random() * payloads.length), 1);
      if (taken !== undefined && random() < 0.8) payloads.splice(Math.floor(random() * payloads.length), 0, taken);
      if (taken !== undefined && random() < 0.3) payloads.splice(Math.floor(random() * payloads.length), 0, taken);
    }
    return { chunks: [framed(payloads)], detectable: false };
  },
  'events of another log between': ({ random, payloads, foreign }) => {
    for (let turn = 0; turn < 1 + random() * 4; turn += 1)
      payloads.splice(Math.floor(random() * payloads.length), 0, pick(random, foreign));
    return { chunks: [framed(payloads)], detectable: false };
  },
  'table ids swapped': ({ random, payloads }) => {
    const withTables = payloads.filter(
      (payload) => [19, 23, 24, 25, 30, 31, 32].includes(payload[5] ?? 0) && payload.length > 30,
    );
    if (withTables.length === 0) return { chunks: [framed(payloads)], detectable: false };
    for (let turn = 0; turn < 1 + random() * 3; turn += 1) {
      const to = pick(random, withTables);
      pick(random, withTables).copy(to, 20, 20, 26);
      repaired(to, { length: false });
    }
    return { chunks: [framed(payloads)], detectable: false };
  },
  'a packet that is no event': ({ random, payloads }) => {
    const strange = pick(random, ['', '00', 'ff', 'ffd404', 'fe', 'fe00000200', 'ffd40423485930303064697363']);
    payloads.splice(Math.floor(random() * payloads.length), 0, Buffer.from(strange, 'hex'));
    return { chunks: [framed(payloads)], detectable: true };
  },
};

function seamless(payloads: readonly Buffer[], payload: Buffer): Mutated {
  repaired(payload, { length: false });
  return { chunks: [framed(payloads)], detectable: false };
}

function flip(random: Random, payload: Buffer, from: number): void {
  const room = payload.length - from;
  if (room <= 0) return;
  for (let turn = 0; turn < 1 + random() * 3; turn += 1) {
    const at = from + Math.floor(random() * room);
    payload[at] = (payload[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
}
