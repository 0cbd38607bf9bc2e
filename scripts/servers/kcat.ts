import { installProgram } from './packages.ts';
import { runProgram } from './run-program.ts';

/** Runs kcat, librdkafka's command line, against the broker at `port` and gives what it wrote. Errors: Error with what it said. */
export async function kcat(port: number, args: readonly string[], input?: string): Promise<Buffer> {
  const [program, ...all] = await kcatCommand(port, args);
  return runProgram(program, all, input);
}

/** How to run it against the broker at `port`, installed first if need be. */
export async function kcatCommand(port: number, args: readonly string[]): Promise<[string, ...string[]]> {
  return [await installProgram('kcat', 'kcat'), '-b', `127.0.0.1:${port}`, '-m', '20', ...args];
}
