import { withOpen } from '../../lib/with-open.ts';
import { connectForQueries, type Questions } from './connect.ts';
import { toPipelineError } from './errors.ts';
import type { MysqlSettings } from './options.ts';

/**
 * Asks over a connection of its own, which ends with `work`, and when `signal` aborts, be it while it is being made.
 * Errors: PipelineError; the signal's reason.
 */
export async function withQuestions<T>(
  settings: MysqlSettings,
  signal: AbortSignal,
  work: (connection: Questions) => Promise<T>,
): Promise<T> {
  const open = () => connectForQueries(settings);
  try {
    return await withOpen({ open, close: (connection) => connection.close(), signal }, work);
  } catch (error) {
    signal.throwIfAborted();
    throw toPipelineError(error, `asking ${settings.host}:${settings.port}`);
  }
}
