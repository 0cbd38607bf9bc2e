/** Long enough to get on, short enough that nobody waits for it. */
const SLICE_MS = 10;

/** Does a long calculation, which yields where it may be left for a while, in slices between which others have their turn. */
export async function inSlices<T>(work: Generator<void, T>, sliceMs = SLICE_MS): Promise<T> {
  for (let until = performance.now() + sliceMs; ; ) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + sliceMs;
  }
}
