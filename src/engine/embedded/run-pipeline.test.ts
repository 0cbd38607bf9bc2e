import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatePipeline } from '../../../test/support/pipeline-sim.ts';
import { MemoryServer } from '../../connectors/memory/memory-server.ts';
import { MemorySink, MemoryTarget } from '../../connectors/memory/sink.ts';
import { MemorySource } from '../../connectors/memory/source.ts';
import { silentLog } from '../../lib/log.ts';
import { DEFAULT_DDL_POLICIES } from '../../pipeline/policies.ts';
import { RunOrders } from './run-orders.ts';
import { runPipeline } from './run-pipeline.ts';

const LIVES = 200;

void test(`in ${LIVES} random lives with outages, crashes, refusals and live changes, the sink ends equal to the source`, async () => {
  for (let seed = 0; seed < LIVES; seed++) await simulatePipeline({ seed, steps: 120 });
});

void test('a source that ends by itself is a failure to be tried again, and an idle run counts as working', async () => {
  const server = new MemoryServer();
  const source = new MemorySource(server);
  const read = source.read.bind(source);
  source.read = async function* (options) {
    yield* { [Symbol.asyncIterator]: () => take(read(options)[Symbol.asyncIterator](), 2) };
  };
  const reports: boolean[] = [];
  const checkpoint = { sequence: 1, offset: { position: 0, skip: 0 }, version: 1, tables: [] };
  const run = runPipeline({
    source,
    sink: new MemorySink(new MemoryTarget(), { holdsCheckpoint: false }),
    store: { load: async () => ({ checkpoint, heldBySink: false }), save: async () => {}, forget: async () => {} },
    control: new RunOrders({
      owner: { installation: 'i', task: '1', incarnation: 'x' },
      version: 1,
      source: { name: 'source', type: 'memory', settings: {}, options: {} },
      sink: { name: 'sink', type: 'memory', settings: {}, options: {} },
      routes: [],
      policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 1, intervalMinutes: 1 } },
      start: null,
      filled: [],
    }),
    retryFailed: true,
    log: silentLog,
    signal: new AbortController().signal,
    report: (_, isWorking) => reports.push(isWorking),
    filled: async () => {},
  });
  await assert.rejects(run, /the source ended by itself/);
  assert.deepEqual(reports, [false, true]);
});

/** The first `count` of what an iterator gives; then it ends. */
function take<T>(iterator: AsyncIterator<T>, count: number): AsyncIterator<T> {
  let left = count;
  return {
    next: async () => {
      left -= 1;
      return left > 0 ? iterator.next() : { done: true, value: undefined };
    },
  };
}
