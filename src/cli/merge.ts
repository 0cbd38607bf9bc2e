import process from 'node:process';
import { type Command, Option } from 'commander';
import { describeError } from '../lib/errors.ts';
import { pause } from '../lib/retry.ts';
import type { DefinedTable } from '../tasks/task-definition.ts';
import { readCutOff } from './merge-cut-off.ts';
import { describeTable, findLogTask, type LogTask } from './merge-task.ts';
import { askRun, type RunSeen, type ServiceAccess } from './merge-run.ts';

/** 0 done; 1 something could not be merged; 2 used wrongly; 4 the run has not passed the cut-off. */
export type MergeExit = 0 | 1 | 2 | 4;

export interface MergeOptions extends ServiceAccess {
  /** `database.table`. */
  readonly table?: readonly string[];
  readonly day?: string;
  readonly until?: string;
  readonly print?: boolean;
  /** Seconds to wait for the run. */
  readonly wait: number;
  readonly force?: boolean;
  readonly project?: string;
  readonly dataDir?: string;
  readonly config?: string;
}

export interface MergeOutput {
  readonly exit: MergeExit;
  readonly stdout: string;
  readonly stderr: string;
}

/** A transaction that began before the cut-off may end behind others that began after it. */
const MARGIN_MS = 30_000;
const ASK_MS = 2000;

/** Adds `disync merge <task>`. */
export function registerMerge(program: Command): void {
  program
    .command('merge')
    .description('makes of the log tables of a task in MaxCompute the base tables of a day')
    .argument('<task>', 'its FileId, or its name')
    .option('--table <database.table>', 'this table alone; may be repeated', collect, [] as string[])
    .option('--day <yyyyMMdd>', 'up to the end of this day; without --day and --until that is yesterday')
    .option('--until <time>', 'up to this minute, such as 2026-01-31T12:00 (by the clock of the task’s timeZone)')
    .option('--print', 'print the statements instead of running them')
    .option('--wait <seconds>', 'how long to wait until the run has passed the cut-off', readSeconds, 300)
    .option('--force', 'merge what is there, whether or not the run has passed the cut-off')
    .option('--project <id>', 'the workspace of the task, where several have one of that name')
    .addOption(
      new Option('--endpoint <url>', 'where the service is').env('DISYNC_ENDPOINT').default('http://127.0.0.1:8580'),
    )
    .addOption(new Option('--access-key-id <id>').env('ALIBABA_CLOUD_ACCESS_KEY_ID').default('dev'))
    .addOption(new Option('--access-key-secret <secret>').env('ALIBABA_CLOUD_ACCESS_KEY_SECRET').default('dev'))
    .option('--data-dir <folder>', 'folder of the store')
    .option('--config <file>', 'configuration file')
    .addHelpText(
      'after',
      '\nThe store says where the tables are, and the service how far the run has come.' +
        '\nExit status: 0 done, 1 something could not be merged, 2 used wrongly, 4 the run has not passed the cut-off.',
    )
    .action(async (task: string, options: MergeOptions) => {
      const { exit, stdout, stderr } = await runMergeCommand(task, options);
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      process.exitCode = exit;
    });
}

/** Never rejects: what went wrong is in `exit` and `stderr`. */
export async function runMergeCommand(name: string, options: MergeOptions): Promise<MergeOutput> {
  let task: LogTask | null = null;
  try {
    task = await findLogTask(name, options);
    const untilMs = readCutOff(options, task.merges.zone, Date.now());
    if (options.print === true || options.force === true) return await mergeAll(task, untilMs, options);
    const seen = await untilPassed(task, untilMs, options);
    if (typeof seen === 'string') return { exit: 4, stdout: '', stderr: `${seen}\n` };
    return await mergeAll(task, untilMs, options, seen);
  } catch (error) {
    return { exit: 2, stdout: '', stderr: `${describeError(error)}\n` };
  } finally {
    task?.merges.close();
  }
}

/** Waits until all changes before the cut-off are there (H12). Returns what the run is then, or why that cannot be had. */
async function untilPassed(task: LogTask, untilMs: number, options: MergeOptions): Promise<RunSeen | string> {
  const deadline = Date.now() + options.wait * 1000;
  for (;;) {
    const seen = await askRun(task, options);
    const reason = whyNot(task, seen, untilMs);
    if (reason === null) return seen;
    if (seen.status !== 'RUN' || Date.now() >= deadline)
      return `${reason}. Nothing was merged; --wait waits longer, --force merges what is there.`;
    await pause(ASK_MS);
  }
}

function whyNot(
  { tables }: LogTask,
  { status, message, watermarkAt, states }: RunSeen,
  untilMs: number,
): string | null {
  if (status !== 'RUN') return `the run stands still (${status})${message === null ? '' : `: ${message}`}`;
  const loading = tables.map(({ table }) => describeTable(table)).filter((name) => states.get(name) !== 'FAILED');
  const behind = loading.filter((name) => states.get(name) !== 'STREAMING');
  if (behind.length > 0) return `rows of ${behind.join(', ')} are still being loaded`;
  if (watermarkAt !== null && watermarkAt >= untilMs + MARGIN_MS) return null;
  const come = watermarkAt === null ? 'is not known' : `is ${new Date(watermarkAt).toISOString()}`;
  return `changes before ${new Date(untilMs).toISOString()} may still come to MaxCompute: the run's watermark ${come}, and it is to be ${MARGIN_MS / 1000} s behind that`;
}

/** One table after the other; one that cannot be merged leaves the others alone. */
async function mergeAll(task: LogTask, untilMs: number, options: MergeOptions, seen?: RunSeen): Promise<MergeOutput> {
  const done: string[] = [];
  const failed: string[] = [];
  for (const defined of task.tables) {
    const name = describeTable(defined.table);
    try {
      if (seen?.states.get(name) === 'FAILED')
        throw new Error('the table is FAILED: changes of it are missing in the log until it was loaded again');
      done.push(await mergeOne(task, defined, untilMs, options.print === true));
    } catch (error) {
      failed.push(`${name}: ${describeError(error)}\n`);
    }
  }
  return { exit: failed.length > 0 ? 1 : 0, stdout: done.join(''), stderr: failed.join('') };
}

async function mergeOne(
  { merges }: LogTask,
  { table, target, key }: DefinedTable,
  untilMs: number,
  isPrint: boolean,
): Promise<string> {
  const plan = await merges.plan({ target, key, untilMs });
  const name = describeTable(table);
  if (isPrint) return `-- ${name}\n${plan.script}\n`;
  await plan.run();
  const from = plan.from === null ? 'the log alone' : `${plan.from} and the log`;
  return `${name}: ${plan.table}, partition ${plan.into}, is made of ${from}\n`;
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

function readSeconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Error('--wait: a number of seconds');
  return Number(text);
}
