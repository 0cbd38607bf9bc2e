import pino from 'pino';
import type { Logger } from './log.ts';

/** Fields that hold secrets by their name, wherever they come from: the last line of defence, not the first (I7). */
const SECRETS = ['password', 'secret', 'accessKey', 'accessKeySecret', 'masterKey', 'content', 'settings'];

/** A logger of JSON lines on standard error; bigint as its digits. */
export function createLog(level: 'error' | 'warn' | 'info' | 'debug'): Logger {
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutBigints },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '***' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return wrap(root);
}

function wrap(logger: pino.Logger): Logger {
  return {
    error: (facts, event) => logger.error(facts, event),
    warn: (facts, event) => logger.warn(facts, event),
    info: (facts, event) => logger.info(facts, event),
    debug: (facts, event) => logger.debug(facts, event),
    child: (facts) => wrap(logger.child(withoutBigints(facts))),
  };
}

function withoutBigints(facts: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? value.toString() : (value as unknown),
    ]),
  );
}
