import { findProgram } from './packages.ts';

/** How to start a program that ends with us, and no sooner. */
export interface Tethered {
  readonly command: [string, ...string[]];
  /** For `spawn`. */
  readonly detached: boolean;
}

/**
 * A Ctrl-C is for us, who end the program after its users: it stands in a process group of its own. When we are killed the
 * kernel ends it. Where nothing tells the kernel so it stays in our group, that it may not outlive us.
 */
export function tethered(command: readonly [string, ...string[]]): Tethered {
  const setpriv = findProgram('setpriv');
  return setpriv === undefined
    ? { command: [...command], detached: false }
    : { command: [setpriv, '--pdeathsig', 'KILL', ...command], detached: true };
}
