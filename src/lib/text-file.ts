import { readFileSync } from 'node:fs';
import { CodedError, messageOf } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this account may not read it',
};

/** The text of a file that a person named; `-` is standard input. Errors: CodedError `File.Unreadable`. */
export function readTextFile(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const why = REASONS[(cause as NodeJS.ErrnoException).code ?? ''] ?? messageOf(cause);
    throw new CodedError('File.Unreadable', `${file === '-' ? 'standard input' : file} cannot be read: ${why}`, {
      cause,
    });
  }
}
