import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { CatchUp } from './catch-up.ts';
import type { Questions } from '../connect.ts';
import type { FileHead } from './file-head.ts';
import { GtidPosition } from './gtid-position.ts';
import { GtidSet } from './gtid-set.ts';
import { PassedGtids } from './passed-gtids.ts';
import {
  describePosition,
  fileBase,
  fileNumber,
  type LogPosition,
  type MysqlOffset,
  type PassedLast,
} from './position.ts';
import type { ServerFacts } from '../server-facts.ts';
import { executedOnceSettled, missingAt, positionAt, readServerGtids } from './server-gtids.ts';
import { endOfLog, logFiles } from './start-position.ts';

/** A place of a file that the protocol cannot name: 32 bits. Its file is read from its begin. */
const PLACE_MAX = 2 ** 32;
const FILE_BEGIN = 4;
const NEW_LOAD = 'Terminate the task and start it again with a new load.';

/** A server that is asked where reading begins. */
export interface OpenServer {
  readonly connection: Questions;
  readonly facts: ServerFacts;
  /** Reads the first events of a file. */
  headOf(file: string): Promise<FileHead>;
}

/** How the log is read. */
export interface Opening {
  readonly from: LogPosition;
  /** All before this place was delivered: of it only XA transactions without outcome are of interest; null: nothing is. */
  readonly deliveredUntil: LogPosition | null;
  readonly passed: PassedGtids;
  /** Transactions that were passed before come again, and must be known by their ids. */
  readonly catchUp: CatchUp | null;
  /** Row events of the first transaction that were delivered already. */
  readonly skipEvents: number;
  /** When the file of the offset was begun; 0 when it is not known, or another. */
  readonly fileBegun: number;
  /** Where the log ended then. */
  readonly end: LogPosition;
  /** Positions are of another log than those of the offset. */
  readonly elsewhere: boolean;
}

/** Where a first start begins: at the end of the log. */
export async function openAtEnd(server: OpenServer): Promise<Opening> {
  const { connection, facts } = server;
  const from = await endOfLog(connection, facts);
  const opening = {
    from,
    deliveredUntil: null,
    catchUp: null,
    skipEvents: 0,
    fileBegun: 0,
    end: from,
    elsewhere: false,
  };
  if (facts.family === 'mariadb') return { ...opening, passed: passedAt(facts, await positionAt(connection, from)) };
  const settled = facts.gtids ? await executedOnceSettled(connection) : null;
  if (settled === null) return { ...opening, passed: passedAt(facts, null) };
  const passed = settled.executed.toString();
  const until = await endOfLog(connection, facts);
  return {
    ...opening,
    passed: passedAt(facts, passed, settled.purged),
    catchUp: new CatchUp({ family: 'mysql', passed, last: null, before: '', until }),
  };
}

/** From the begin of a file, where the file itself tells what was executed before. */
export async function openAtFile(server: OpenServer, file: string): Promise<Opening> {
  const { connection, facts } = server;
  return {
    from: { file, position: FILE_BEGIN },
    deliveredUntil: null,
    passed: passedAt(facts, null, await purgedAt(connection, facts)),
    catchUp: null,
    skipEvents: 0,
    fileBegun: 0,
    end: await endOfLog(connection, facts),
    elsewhere: false,
  };
}

/** Behind transactions that someone names, the others of the log in its order. Errors: PipelineError `fatal`. */
export async function openAtGtids(server: OpenServer, gtids: string): Promise<Opening> {
  const { connection, facts } = server;
  const code = 'MySQL.StartGtid';
  const other = 'Start with another startGtid, or without one and load the existing rows.';
  const asked = `startGtid is ${listOf(gtids.split(','))}`;
  if (!facts.gtids) throw stop(code, `${asked}, and transactions of this server have no GTIDs`, other);
  if (isMariadb(gtids) !== (facts.family === 'mariadb'))
    throw stop(code, `${asked}, and this is ${facts.title}, which writes them otherwise`, other);
  const missing = await missingAt(connection, facts, gtids, 'own');
  if (missing.length > 0) throw stop(code, `${asked}, and the server has not got ${listOf(missing)}`, other);
  if (facts.family === 'mariadb') await checkStrict(connection, code, asked);
  const until = await endOfLog(connection, facts);
  const { file, before } = await fileAfter(server, gtids);
  return {
    ...(await openAtFile(server, file)),
    passed: passedAt(facts, gtids, await purgedAt(connection, facts)),
    catchUp: new CatchUp({ family: facts.family, passed: gtids, last: null, before, until }),
  };
}

/**
 * Where to go on after `offset`: in the same log at its position; in another that provably has all that was passed, by ids.
 * Errors: PipelineError `fatal` that says why neither can be, with facts and remedy. Never moves to another place
 * (C9, C11, C12, C13).
 */
export async function openAfter(server: OpenServer, offset: MysqlOffset): Promise<Opening> {
  const { connection, facts } = server;
  const elsewhere = offset.server === facts.identity ? await whyGone(connection, offset) : otherServer(offset, facts);
  if (elsewhere !== null) return openByGtids(server, offset, elsewhere);
  if (offset.gtids !== null && facts.gtids) {
    const missing = await missingAt(connection, facts, offset.gtids, 'own');
    if (missing.length > 0)
      throw stop(
        'MySQL.HistoryChanged',
        `${facts.title} no longer has ${listOf(missing)}, which was read from it: it was rewound, restored or begun anew`,
        NEW_LOAD,
      );
  }
  const begin = offset.readFrom ?? offset;
  const isFar = begin.position >= PLACE_MAX;
  return {
    from: { file: begin.file, position: isFar ? FILE_BEGIN : begin.position },
    deliveredUntil: isFar || offset.readFrom !== null ? { file: offset.file, position: offset.position } : null,
    passed: passedAt(facts, offset.gtids, await purgedAt(connection, facts), offset.last),
    catchUp: null,
    skipEvents: offset.skipEvents,
    fileBegun: offset.fileBegun,
    end: await endOfLog(connection, facts),
    elsewhere: false,
  };
}

/** Positions of the offset do not lead to where it stands; only ids can tell whether the history is the same. */
interface Elsewhere {
  readonly why: string;
  /** What it is when ids cannot tell. */
  readonly code: 'MySQL.OtherServer' | 'MySQL.BinlogPurged' | 'MySQL.HistoryChanged';
  readonly remedy: string;
}

function otherServer({ server }: MysqlOffset, { identity }: ServerFacts): Elsewhere {
  return {
    why: `the task was reading server ${server}, this is ${identity}`,
    code: 'MySQL.OtherServer',
    remedy: `Point the data source at the former server, or: ${NEW_LOAD} With GTIDs on both a task goes on by itself.`,
  };
}

/**
 * Makes sure that the files say the same history as the offset: null when they do.
 * Errors: PipelineError `fatal` when they say another.
 */
async function whyGone(connection: Questions, offset: MysqlOffset): Promise<Elsewhere | null> {
  if (offset.onlyGtids) return { why: 'only GTIDs say where', code: 'MySQL.HistoryChanged', remedy: NEW_LOAD };
  const files = await logFiles(connection);
  const { file } = offset.readFrom ?? offset;
  if (files.some(({ name }) => name === file)) {
    const reached = files.find(({ name }) => name === offset.file);
    if (reached !== undefined && reached.size >= offset.position) return null;
    throw stop(
      'MySQL.HistoryChanged',
      `${describePosition(offset)} is beyond the end of the log: the server was rewound or restored`,
      NEW_LOAD,
    );
  }
  const [oldest, newest] = [files[0]?.name ?? '', files.at(-1)?.name ?? ''];
  // Where the name changed, numbers tell nothing (C4).
  if (fileBase(newest) !== fileBase(file))
    return {
      why: `the server has no ${file}; its logs are named as ${newest}`,
      code: 'MySQL.HistoryChanged',
      remedy: NEW_LOAD,
    };
  if (fileNumber(newest) > fileNumber(file))
    return {
      why: `the server no longer has ${file}; its oldest log is ${oldest}`,
      code: 'MySQL.BinlogPurged',
      remedy: `${NEW_LOAD} Keep the binary log longer than the longest stop.`,
    };
  throw stop(
    'MySQL.HistoryChanged',
    `the server has no ${file}; its newest log is ${newest}: its log was begun anew`,
    NEW_LOAD,
  );
}

/** Goes on by ids, in whatever log has all that was passed and all that was not. */
async function openByGtids(server: OpenServer, offset: MysqlOffset, elsewhere: Elsewhere): Promise<Opening> {
  const { connection, facts } = server;
  const { why, code, remedy } = elsewhere;
  const isOther = code === 'MySQL.OtherServer';
  const { gtids } = offset;
  const gtidsFrom = offset.readFrom === null ? gtids : offset.readFrom.gtids;
  if (gtids === null || gtidsFrom === null || !facts.gtids)
    throw stop(code, `${why}, and without GTIDs nothing tells where to go on`, remedy);
  if (isMariadb(gtids) !== null && isMariadb(gtids) !== (facts.family === 'mariadb'))
    throw stop(code, `${why}, and it is of another family`, remedy);
  const missing = await missingAt(connection, facts, gtids, isOther ? 'other' : 'own');
  if (missing.length > 0)
    throw stop(
      isOther ? code : 'MySQL.HistoryChanged',
      `${why}; it has not got ${listOf(missing)}, which was delivered already`,
      isOther ? `Point the data source at a server that has it in its log, or: ${NEW_LOAD}` : NEW_LOAD,
    );
  if (isOther && facts.family === 'mariadb') await checkStrict(connection, code, why);
  const until = await endOfLog(connection, facts);
  const { file, before } = await fileAfter(server, gtidsFrom, offset.last);
  return {
    from: { file, position: FILE_BEGIN },
    deliveredUntil: null,
    passed: passedAt(facts, gtids, await purgedAt(connection, facts), offset.last),
    catchUp: new CatchUp({ family: facts.family, passed: gtids, last: offset.last, before, until }),
    // Another server may have cut the rows of a transaction into other events: it is delivered again, from its begin.
    skipEvents: isOther ? 0 : offset.skipEvents,
    fileBegun: 0,
    end: until,
    elsewhere: true,
  };
}

/** What is written to a MariaDB replica itself may go into the midst of what is passed, unless ids have to ascend. */
async function checkStrict(connection: Questions, code: string, where: string): Promise<void> {
  const [row] = await connection.query('SELECT @@global.gtid_strict_mode AS strict');
  if (row?.['strict'] === '1') return;
  throw stop(
    code,
    `${where}, and its gtid_strict_mode is OFF: changes of its own may lie before what was delivered`,
    'If nothing but replication has written to it: SET GLOBAL gtid_strict_mode = ON there, and start the task; it goes on where it was.',
  );
}

/**
 * The newest file before which nothing was executed but what is in `gtids`, and `last` was not, so that it is read again:
 * unless no file has it any more.
 */
async function fileAfter(
  { connection, facts, headOf }: OpenServer,
  gtids: string,
  last: PassedLast | null = null,
): Promise<{ file: string; before: string }> {
  const files = await logFiles(connection);
  let wanted = gtids;
  if (facts.family === 'mysql') {
    const { purged } = await readServerGtids(connection);
    const passed = GtidSet.parse(gtids);
    const lost = purged.subtract(passed);
    if (!lost.isEmpty) throw purgedStop(lost.toString(), files[0]?.name);
    const again = GtidSet.parse(last?.gtid ?? '').subtract(purged);
    wanted = passed.subtract(again).toString();
  }
  let ahead = '';
  for (const { name } of files.toReversed()) {
    const { gtids: before } = await headOf(name);
    if (before === null) break;
    ahead = aheadOf(before, wanted, facts.family);
    if (ahead === '') return { file: name, before };
  }
  throw purgedStop(ahead, files[0]?.name);
}

/** What of `before` is not in `gtids`. */
function aheadOf(before: string, gtids: string, family: ServerFacts['family']): string {
  if (family === 'mysql') return GtidSet.parse(before).subtract(GtidSet.parse(gtids)).toString();
  return GtidPosition.parse(before).missingIn(GtidPosition.parse(gtids)).join(',');
}

function purgedStop(lost: string, oldest: string | undefined): PipelineError {
  return stop(
    'MySQL.BinlogPurged',
    `the server no longer has ${listOf(lost.split(','))}, which was not delivered yet; its oldest log is ${oldest ?? 'none'}`,
    `${NEW_LOAD} Keep the binary log longer than the longest stop.`,
  );
}

async function purgedAt(connection: Questions, facts: ServerFacts): Promise<GtidSet | null> {
  return facts.family === 'mysql' && facts.gtids ? (await readServerGtids(connection)).purged : null;
}

function passedAt(
  { family, gtids }: ServerFacts,
  text: string | null,
  purged: GtidSet | null = null,
  last: PassedLast | null = null,
): PassedGtids {
  return new PassedGtids({ family, text, last, purged: purged?.toString() ?? '', filesTell: gtids });
}

/** Null when there are none to tell by. */
function isMariadb(gtids: string): boolean | null {
  return gtids === '' ? null : /^\d+-\d+-\d+(?:,|$)/.test(gtids);
}

function listOf(gtids: readonly string[]): string {
  const shown = gtids.slice(0, 5).join(',');
  return gtids.length > 5 ? `${shown} and ${gtids.length - 5} more` : shown;
}

function stop(code: string, message: string, hint: string): PipelineError {
  return new PipelineError('fatal', code, message, { hint });
}
