import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { silentLog } from '../../lib/log.ts';
import type { Failure } from '../../pipeline/checkpoint.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { FailoverLimit } from '../../pipeline/policies.ts';
import { Failovers, supervise } from './supervise.ts';

const AWAY = new PipelineError('transient', 'Source.Away', 'away', { hint: 'Start it.' });

type Try = { readonly first: boolean; readonly alive: () => void };
interface Waiting {
  readonly code: string;
  readonly failovers: number;
  readonly waitMs: number;
}

/** Runs a supervised run in virtual time; each entry of `tries` is one try. */
async function run(
  tries: readonly ((attempt: Try, stop: AbortController) => void | Promise<void>)[],
  failover: FailoverLimit = { count: 100, intervalMinutes: 5 },
): Promise<{ failure: Failure | null; waits: Waiting[]; firsts: boolean[] }> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const stop = new AbortController();
  const waits: Waiting[] = [];
  const firsts: boolean[] = [];
  let failure: Failure | null | undefined;
  try {
    const supervised = supervise({
      failover,
      log: silentLog,
      signal: stop.signal,
      attempt: async (attempt) => {
        firsts.push(attempt.first);
        const next = tries[firsts.length - 1];
        if (next === undefined) throw new PipelineError('fatal', 'Test.Over', 'one try too many');
        await next(attempt, stop);
      },
      onWaiting: ({ code }, nextTryAt, failovers) => waits.push({ code, failovers, waitMs: nextTryAt - Date.now() }),
    });
    void supervised.then((result) => {
      failure = result;
    });
    for (let tick = 0; tick < 3000 && failure === undefined; tick++) {
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(1000);
    }
  } finally {
    mock.timers.reset();
  }
  assert.notEqual(failure, undefined, 'the run did not end');
  return { failure: failure ?? null, waits, firsts };
}

const fails = () => {
  throw AWAY;
};
const stops = (_: Try, stop: AbortController) => {
  stop.abort();
  throw new Error('ended by its signal');
};

void test('one outage is one failover, however many tries it takes, and waits ever longer', async () => {
  const { failure, waits, firsts } = await run([fails, fails, fails, fails, stops]);
  assert.equal(failure, null);
  assert.deepEqual(
    waits.map(({ failovers }) => failovers),
    [1, 1, 1, 1],
  );
  for (const [index, full] of [500, 1000, 2000, 4000].entries()) {
    const wait = waits[index]?.waitMs ?? 0;
    assert.ok(wait <= full && wait >= full * 0.8, `wait ${index} is ${wait}`);
  }
  assert.deepEqual(firsts, [true, false, false, false, false]);
});

void test('an outage is over once a try has proven that it works: the next one counts, and waits as little as the first', async () => {
  const works = ({ alive }: Try) => {
    alive();
    throw AWAY;
  };
  const { waits } = await run([fails, fails, works, stops]);
  assert.deepEqual(
    waits.map(({ failovers }) => failovers),
    [1, 1, 2],
  );
  assert.ok((waits[2]?.waitMs ?? 0) <= 500);
});

void test('more failovers than the limit end the run, with the last reason and a remedy', async () => {
  const works = ({ alive }: Try) => {
    alive();
    throw AWAY;
  };
  const { failure, firsts } = await run([works, works, works], { count: 2, intervalMinutes: 5 });
  assert.deepEqual(failure, {
    code: 'Run.FailoverLimit',
    message: 'more than 2 failovers in 5 minutes; the last: Source.Away: away',
    remedy: 'Start it.',
  });
  assert.equal(firsts.length, 3);
});

void test('a limit of none ends the run at the first outage', async () => {
  const { failure } = await run([fails], { count: 0, intervalMinutes: 5 });
  assert.equal(failure?.code, 'Run.FailoverLimit');
});

void test('failovers that lie further back than the interval do not count', () => {
  const failovers = new Failovers({ count: 2, intervalMinutes: 1 });
  assert.deepEqual(
    [0, 30_000, 60_001, 90_002, 90_003].map((time) => failovers.exceeded(time)),
    [false, false, false, false, true],
  );
  assert.equal(failovers.total, 5);
});

void test('what does not pass ends the run at once, with its code and remedy', async () => {
  for (const kind of ['fatal', 'dirty', 'table'] as const) {
    const { failure, waits } = await run([
      () => {
        throw new PipelineError(kind, 'Log.Purged', 'gone', { hint: 'Load again.' });
      },
    ]);
    assert.deepEqual(failure, { code: 'Log.Purged', message: 'gone', remedy: 'Load again.' });
    assert.deepEqual(waits, []);
  }
});

void test('a defect of ours is tried again like an outage, and called by its name', async () => {
  const { failure, waits } = await run([
    () => {
      throw new TypeError('undefined is not a function');
    },
    stops,
  ]);
  assert.equal(failure, null);
  assert.deepEqual(
    waits.map(({ code }) => code),
    ['Run.Unexpected'],
  );
});

void test('a stop is a normal end: in a try, in a wait, and even while a try fails of it', async () => {
  assert.equal((await run([stops])).failure, null);
  assert.equal((await run([() => {}])).failure, null);
  const inWait = await run([
    (_, stop) => {
      setTimeout(() => stop.abort(), 10);
      throw AWAY;
    },
  ]);
  assert.deepEqual([inWait.failure, inWait.firsts], [null, [true]]);
});
