import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';

/** Runs a program to its end and gives the bytes that it wrote. Errors: Error with what it said beside them. */
export async function runProgram(program: string, args: readonly string[], input = ''): Promise<Buffer> {
  const child = spawn(program, args);
  // It may end before it has read everything; what it says then is the reason.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [written, said, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said.trim()}`);
  return written;
}
