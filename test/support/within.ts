import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is no text, which says what is missing. Errors: Error with the last text, after `ms`. */
export async function within<T extends object | true>(ms: number, ask: () => Promise<T | string>): Promise<T> {
  for (const deadline = Date.now() + ms; ; await sleep(100)) {
    const answer = await ask();
    if (typeof answer !== 'string') return answer;
    if (Date.now() > deadline) throw new Error(answer);
  }
}
