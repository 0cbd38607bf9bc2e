import type { TopicChange } from '../../quickstart/topic-fold.ts';

/**
 * Where rows count their changes in `counter`, from 0 in steps of one: every record of a key continues the one before it. A
 * row that was loaded (INSERT, as the envelope has it) may repeat the value that its key has already, as nothing else may.
 * Gives what is wrong, if anything is.
 */
export function counterFaults(
  changes: readonly TopicChange[],
  counter: string,
  isLoaded: (change: TopicChange) => boolean,
): string[] {
  const faults: string[] = [];
  const last = new Map<string, number>();
  for (const change of changes) {
    const { key, op, before, after } = change;
    const known = last.get(key);
    const fault = (what: string) =>
      faults.push(`${key} ${op} ${change.sequenceId}: ${what}, after ${known ?? 'nothing'}`);
    if (before !== null) {
      const value = Number(before[counter]);
      if (known !== undefined && value !== known) fault(`counts from ${value}`);
      if (after === null && op === 'DELETE') last.delete(key);
      else last.set(key, value);
    }
    if (after === null) continue;
    const value = Number(after[counter]);
    const isRepeat = isLoaded(change) && value === known;
    if (!isRepeat && known !== undefined && value !== known + 1) fault(`counts to ${value}`);
    if (op === 'INSERT' && known !== undefined && !isLoaded(change)) fault('is inserted, and was there');
    last.set(key, value);
  }
  return faults;
}
