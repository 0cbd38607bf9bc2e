/** With the time that it takes to ask, a dead connection is noticed within 30 s. */
const SILENCE_MS = 15_000;
/** An answer that was just given may be on its way still. */
const ON_ITS_WAY_MS = 2000;

/**
 * A statement may take its time, but a dead connection looks the same: at silence the server is asked otherwise, and if it is
 * not at work on the statement, its answer was lost. Gives what ends the watch.
 */
export function watchSilence(isAtWork: () => Promise<boolean>, giveUp: (error: Error) => void): () => void {
  let isOver = false;
  const ask = async () => {
    if (await isAtWork().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, ON_ITS_WAY_MS));
    if (isOver) return;
    giveUp(new Error(`nothing came for ${SILENCE_MS / 1000} s, and the server is not at work on it`));
  };
  const timer = setInterval(() => void ask(), SILENCE_MS);
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
