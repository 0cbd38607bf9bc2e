import { installProgram } from './packages.ts';
import { runProgram } from './run-program.ts';

/** Runs kcat, librdkafka's command line, against the broker at `port` and gives what it wrote. Errors: Error with what it said. */
export async function kcat(port: number, args: readonly string[], input?: string): Promise<Buffer> {
  return runProgram(await installProgram('kcat', 'kcat'), ['-b', `127.0.0.1:${port}`, '-m', '20', ...args], input);
}
