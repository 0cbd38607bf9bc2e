import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { KafkaAddress } from '../scripts/servers/kafka-reader.ts';
import { kcatCommand } from '../scripts/servers/kcat.ts';
import { tethered } from '../scripts/servers/tether.ts';
import { type Lag, type LagWatch, lagOf } from './far-end.ts';

/** Reads the records of a topic as they come: how long ago the source's writer wrote each, and a few to look at. */
export class TopicTail implements LagWatch {
  /** An insert and both halves of an update: key and value, as kcat prints them. */
  readonly examples: string[] = [];
  readonly #samples: number[] = [];
  /** Records of older changes were on their way when the reading began: loaded rows among them. */
  readonly #begunUs = Date.now() * 1000;
  readonly #child: Promise<ChildProcess>;

  constructor(kafka: KafkaAddress, topic: string) {
    this.#child = this.#read(kafka, topic);
  }

  async stop(): Promise<Lag> {
    (await this.#child).kill();
    return lagOf(this.#samples);
  }

  async #read({ adminPort }: KafkaAddress, topic: string): Promise<ChildProcess> {
    const args = ['-C', '-q', '-u', '-t', topic, '-o', 'end', '-X', 'isolation.level=read_committed', '-f', '%k %s\\n'];
    const { command, detached } = tethered(await kcatCommand(adminPort, [...args, '-X', 'fetch.wait.max.ms=10']));
    const [program, ...all] = command;
    const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'inherit'], detached });
    createInterface(child.stdout).on('line', (line) => this.#see(line));
    return child;
  }

  #see(line: string): void {
    const { payload } = JSON.parse(line.slice(line.indexOf(' ') + 1)) as {
      payload: { op: string; after: { dataColumn: { written_us: number } } | null };
    };
    const written = payload.after?.dataColumn.written_us ?? 0;
    if (written > this.#begunUs) this.#samples.push(Math.round(Date.now() - written / 1000));
    const next = ['INSERT', 'UPDATE_BEFOR', 'UPDATE_AFTER'][this.examples.length];
    if (payload.op !== next) return;
    this.examples.push(line);
  }
}
