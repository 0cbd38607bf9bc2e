/** What is open for a while: how it is opened, and how closed, which may be done twice. */
export interface Opening<T> {
  open(): Promise<T>;
  close(opened: T): void;
  readonly signal: AbortSignal;
}

/** Opens something for the time of `work`; it is closed at once when `signal` aborts. Errors: those of both; the signal's reason. */
export async function withOpen<T, R>(opening: Opening<T>, work: (opened: T) => Promise<R>): Promise<R> {
  const { close, signal } = opening;
  const opened = await openUnlessAborted(opening);
  const cancel = () => close(opened);
  signal.addEventListener('abort', cancel);
  try {
    return await work(opened);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    close(opened);
  }
}

/** What comes too late is closed when it comes: nobody waits for that. Errors: those of `open`; the signal's reason. */
export function openUnlessAborted<T>({ open, close, signal }: Opening<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    open()
      .then((opened) => (signal.aborted ? close(opened) : resolve(opened)), reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
