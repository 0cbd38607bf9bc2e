import { withOpen } from '../../lib/with-open.ts';
import { toPipelineError } from './errors.ts';
import type { HologresSettings } from './options.ts';
import { connect, type Connected, disconnect } from './server.ts';

/**
 * Asks over a connection of its own, which ends with `work`, and when `signal` aborts, be it while it is being made. `doing` is
 * what an error begins with. Errors: PipelineError; the signal's reason.
 */
export async function withClient<T>(
  settings: HologresSettings,
  { signal, doing }: { readonly signal: AbortSignal; readonly doing: string },
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  const open = () => connect(settings);
  try {
    return await withOpen({ open, close: ({ client }) => disconnect(client), signal }, work);
  } catch (error) {
    signal.throwIfAborted();
    throw toPipelineError(error, doing);
  }
}
