/**
 * Gives what `work` comes to, if that is within `ms`. Else its signal aborts, and `late` is thrown, whether `work` listens or not.
 */
export async function withinTime<T>(
  { ms, late }: { readonly ms: number; readonly late: () => Error },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const ends = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
      over.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(over.signal), ends]);
  } finally {
    clearTimeout(timer);
  }
}
