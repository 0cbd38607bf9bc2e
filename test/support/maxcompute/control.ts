import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { MaxComputeDouble } from './double.ts';
import type { Fault } from './faults.ts';
import type { Answer } from './metadata.ts';
import { Refusal } from './refusal.ts';
import { valueText } from './sql/value-text.ts';

/*
 * What a test in another process tells the double and asks it:
 *
 *   GET    /double/tables                        [{ path, columns, key, partitions: { "pt=1": rows } }]
 *   GET    /double/rows?table=PATH[&partition=]  [[text, null, …], …]
 *   GET    /double/calls                         ["PUT /projects/p/tables/t?…", …]
 *   POST   /double/faults                        { what, method, path, times, … } as below; DELETE takes back what did not strike
 *   POST   /double/events/EVENT                  one of EVENTS
 */
const ToldFault = Type.Object(
  {
    what: Type.Union([Type.Literal('cut'), Type.Literal('replyLost'), Type.Literal('refuse'), Type.Literal('slow')]),
    /** Such as PUT; any without. */
    method: Type.Optional(Type.String()),
    /** A part of the path with its query; any without. */
    path: Type.Optional(Type.String()),
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    /** Of a refusal. */
    status: Type.Optional(Type.Integer({ minimum: 300, maximum: 599 })),
    code: Type.Optional(Type.String()),
    holdMs: Type.Optional(Type.Integer({ minimum: 0 })),
    /** How long `slow` waits. */
    ms: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);

const EVENTS: Readonly<Record<string, (double: MaxComputeDouble) => void>> = {
  failNextCommit: ({ tunnel }) => {
    tunnel.uploads.course.failures += 1;
    tunnel.upserts.course.failures += 1;
  },
  moveSlots: ({ tunnel }) => {
    tunnel.upserts.moveSlots({ says: true });
    tunnel.streams.moveSlots();
  },
  expireSessions: ({ tunnel }) => {
    tunnel.uploads.expireAll();
    tunnel.upserts.expireAll();
  },
  forgetSessions: ({ tunnel }) => {
    tunnel.upserts.forgetAll();
    tunnel.streams.forgetAll();
  },
};

/** Errors: Refusal 400 or 404 for what it does not understand. */
export function control(double: MaxComputeDouble, method: string, url: URL, body: string): Answer {
  const event = EVENTS[/^\/double\/events\/(\w+)$/.exec(url.pathname)?.[1] ?? ''];
  switch (`${method} ${event === undefined ? url.pathname : '/double/events'}`) {
    case 'GET /double/tables':
      return json([...double.catalog.all].map(([path, table]) => ({ path, ...overviewOf(table) })));
    case 'GET /double/rows':
      return json(rowsOf(double, url.searchParams));
    case 'GET /double/calls':
      return json(double.calls);
    case 'POST /double/faults': {
      const told = read(body);
      double.faults.push(...Array.from({ length: told.times ?? 1 }, () => faultOf(told)));
      return json({ waiting: double.faults.size });
    }
    case 'DELETE /double/faults':
      double.faults.clear();
      return json({ waiting: 0 });
    case 'POST /double/events':
      event?.(double);
      return json({});
    default:
      throw new Refusal(404, 'NotFound', `${method} ${url.pathname} is not among what the double can be told`);
  }
}

function read(body: string): Static<typeof ToldFault> {
  try {
    return Value.Parse(ToldFault, JSON.parse(body));
  } catch (error) {
    throw new Refusal(400, 'InvalidArgument', `no fault: ${String(error)}`);
  }
}

function faultOf({
  what,
  method,
  path = '',
  status = 500,
  code = '',
  holdMs = 0,
  ms = 0,
}: Static<typeof ToldFault>): Fault {
  const when = (of: string, { pathname, search }: URL) =>
    (method === undefined || of === method) && `${pathname}${search}`.includes(path);
  if (what === 'refuse')
    return { when, what: { kind: what, refusal: new Refusal(status, code, 'as told', {}, holdMs) } };
  return { when, what: what === 'slow' ? { kind: what, ms } : { kind: what } };
}

function overviewOf({ columns, key, partitions }: ReturnType<MaxComputeDouble['table']>): object {
  return {
    columns: columns.map(({ name }) => name),
    key,
    partitions: Object.fromEntries([...partitions].map(([partition, rows]) => [partition, rows.length])),
  };
}

function rowsOf(double: MaxComputeDouble, params: URLSearchParams): (string | null)[][] {
  const { columns, ...table } = double.table(params.get('table') ?? '');
  const rows = table.partitions.get(params.get('partition') ?? '') ?? [];
  return rows.map((row) => columns.map(({ type }, index) => valueText(type, row[index] ?? null)));
}

function json(value: unknown): Answer {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}
