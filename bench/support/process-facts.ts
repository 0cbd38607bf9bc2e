import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const UTIME = 11;
const STIME = 12;
const CHILD_UTIME = 13;
const CHILD_STIME = 14;

/** The greatest memory that a process held so far, in MiB. Linux only. */
export function peakRssMiB(pid: number): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

/** Processor seconds of a process and its children, also of those that ended. Linux only. */
export function cpuSeconds(pid: number): number {
  const parents = new Map<number, number[]>();
  const times = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(name);
    if (fields === null) continue;
    const parent = Number(fields[1]);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
    times.set(
      Number(name),
      [UTIME, STIME, CHILD_UTIME, CHILD_STIME].reduce((sum, at) => sum + Number(fields[at]), 0) / TICKS_PER_SECOND,
    );
  }
  const sum = (one: number): number =>
    (times.get(one) ?? 0) + (parents.get(one) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(pid);
}

/** The fields behind the name, which may hold blanks; the first is the state. */
function statOf(pid: string): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // it has ended meanwhile
  }
}
