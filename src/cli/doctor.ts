import process from 'node:process';
import { type Command, Option } from 'commander';
import { CodedError, describeError, messageOf } from '../lib/errors.ts';
import { stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { Examination } from '../pipeline/connector.ts';
import { renderExamination } from './doctor-report.ts';
import { type DoctorSource, findSource, type SourceOptions } from './doctor-source.ts';

/** 0 nothing stands in the way; 1 something does; 2 it could not be asked, or was used wrongly. */
export type DoctorExit = 0 | 1 | 2;

export interface DoctorOptions extends SourceOptions {
  /** Databases whose tables are looked at, beside the one that the source names. */
  readonly database?: readonly string[];
  readonly json?: boolean;
}

export interface DoctorOutput {
  readonly exit: DoctorExit;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 120_000;

/** Adds `disync doctor <source>`. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('looks at a source and says what is missing there, what follows from it, and what to do')
    .argument(
      '<source>',
      'the name of a data source; or jdbc:mysql://host:port/database; or @file, its Content as JSON',
    )
    .option('--database <name>', 'also look at the tables of this one; may be repeated', collect, [] as string[])
    .option('--json', 'print everything as JSON')
    .option('--project <id>', 'the workspace of the data source, where several have one of that name')
    .addOption(new Option('--user <name>', 'with a URL: the account').env('DISYNC_SOURCE_USER'))
    .option('--password-file <file>', 'with a URL: a file with the password, - for standard input')
    .option('--tls <mode>', 'with a URL: disabled, required, verify-ca or verify-identity')
    .option('--tls-ca <file>', 'with a URL: the certificate of the authority, PEM')
    .option('--data-dir <folder>', 'folder of the store, for a name')
    .option('--config <file>', 'configuration file')
    .addHelpText(
      'after',
      '\nA password is never given on the command line: DISYNC_SOURCE_PASSWORD holds it, or --password-file.' +
        '\nExit status: 0 nothing stands in the way, 1 something does, 2 the source could not be asked.',
    )
    .action(async (source: string, options: DoctorOptions) => {
      const { DISYNC_SOURCE_PASSWORD: password } = process.env;
      const { exit, stdout, stderr } = await runDoctor(
        source,
        password === undefined ? options : { ...options, password },
      );
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      process.exitCode = exit;
    });
}

/** Never rejects: what went wrong is in `exit` and `stderr`. */
export async function runDoctor(source: string, options: DoctorOptions): Promise<DoctorOutput> {
  try {
    const found = await findSource(source, options);
    const examination = await examine(found, options.database ?? []);
    const exit = examination.findings.some(({ level }) => level === 'problem') ? 1 : 0;
    const stdout =
      options.json === true
        ? `${stringifyJson(examination as unknown as Json)}\n`
        : renderExamination(found.title, examination);
    return { exit, stdout, stderr: '' };
  } catch (error) {
    if (options.json !== true) return { exit: 2, stdout: '', stderr: `${describeError(error)}\n` };
    const { code, hint } = error instanceof CodedError ? error : { code: null };
    const told = { code, message: messageOf(error), remedy: hint ?? null };
    return { exit: 2, stdout: `${stringifyJson({ error: told })}\n`, stderr: '' };
  }
}

async function examine({ connector, settings }: DoctorSource, given: readonly string[]): Promise<Examination> {
  const own = connector.defaultDatabase(settings);
  const databases = [...new Set([...(own === null ? [] : [own]), ...given])];
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await connector.examine({ settings, databases, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Error(`the server did not answer within ${TIMEOUT_MS / 1000} s`, { cause: error });
  }
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
