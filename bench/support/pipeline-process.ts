// A process with nothing but the engine in it, so that its memory is the product's alone: runs one pipeline from a
// checkpoint until it is told to stop.
import { EmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import type { StoredCheckpoint } from '../../src/engine/engine.ts';
import { createLog } from '../../src/lib/pino-log.ts';
import type { PipelineDef } from '../../src/pipeline/pipeline-def.ts';
import { MemoryJournals } from '../../test/support/memory-journals.ts';

export interface StartMessage {
  readonly def: PipelineDef;
  readonly from: StoredCheckpoint | null;
}

export type PipelineMessage =
  | { readonly kind: 'ready' | 'started' | 'stopped' }
  | { readonly kind: 'failed'; readonly message: string };

const send = (message: PipelineMessage) => process.send?.(message);

process.on('message', (message: StartMessage | 'stop') => {
  if (message === 'stop') void stop();
  else void start(message);
});
send({ kind: 'ready' });

let engine: EmbeddedEngine | undefined;

async function start({ def, from }: StartMessage): Promise<void> {
  let stored = from;
  engine = new EmbeddedEngine({
    store: {
      load: async () => stored,
      save: async (_, next) => {
        stored = next;
      },
      forget: async () => {},
    },
    journals: new MemoryJournals(),
    listener: {
      onFailed: (_, { code, message }) => send({ kind: 'failed', message: `${code}: ${message}` }),
      onFilled: async () => {},
    },
    log: createLog('warn'),
    memoryMb: 512,
    crashPoint: null,
    connectors: new URL('../../src/connectors/index.ts', import.meta.url),
  });
  send({ kind: 'started' });
  await engine.start(def);
}

async function stop(): Promise<void> {
  await engine?.close(10_000);
  send({ kind: 'stopped' });
  process.disconnect();
}
