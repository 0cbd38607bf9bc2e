import { randomOf } from '../../bench/workload.ts';
import { ApiTask } from './api-task.ts';
import { CountedSource, type SourceRow } from './counted-source.ts';
import { FaultsCampaign, type FaultsCampaignOptions, type FaultsCampaignResult } from './faults-campaign.ts';
import { FAULTS, type Scene, type TableType } from './maxcompute-faults.ts';
import { judgeAppend, judgeDelta, judgeLog, type Verdict } from './maxcompute-judge.ts';
import { DoubleProcess } from './maxcompute-process.ts';
import { odpsSink } from './maxcompute-task.ts';
import type { Family } from './servers.ts';
import { Service } from './service.ts';

export interface MaxComputeCampaignOptions extends Pick<FaultsCampaignOptions<Scene>, 'faults' | 'seed' | 'say'> {
  readonly family: Family;
  readonly tableType: TableType;
}

export interface MaxComputeCampaignResult extends FaultsCampaignResult {
  /** Rows that the targets have of the changes at the source. */
  readonly seen: number;
}

const TABLES = ['t0', 't1', 't2'] as const;
const WRITERS = 2;
/** A run that failed often waits for up to 30 s. */
const SETTLE_MS = 120_000;
const JUDGES: Readonly<Record<TableType, (rows: (string | null)[][]) => Verdict>> = {
  delta: judgeDelta,
  log: judgeLog,
  append: judgeAppend,
};

/**
 * Breaks the way from a source to MaxCompute in many ways while rows are written and tables join and leave. At pauses the double,
 * which lives through all of it, must have every change of the source once.
 */
export async function maxComputeFaultsCampaign(options: MaxComputeCampaignOptions): Promise<MaxComputeCampaignResult> {
  const { family, seed } = options;
  const [source, double, service] = await Promise.all([
    CountedSource.start(family, { tables: TABLES, writers: WRITERS, seed }),
    DoubleProcess.start(),
    Service.start(),
  ]);
  try {
    return await new Campaign({ source, double, service }, options).run();
  } finally {
    await source.stopWriting().catch(() => {});
    await service.dispose();
    double.stop();
    await source.close();
  }
}

class Campaign extends FaultsCampaign<Scene> {
  protected override readonly scene: Scene;
  readonly #database: string;
  readonly #seen = new Map<string, number>();

  constructor(
    { source, double, service }: { source: CountedSource; double: DoubleProcess; service: Service },
    { tableType, faults, seed, say }: MaxComputeCampaignOptions,
  ) {
    const { server, database, writers } = source;
    super({
      task: new ApiTask(service, { source: server, database }, odpsSink(double, { tableType, blockBytesMax: 4096 })),
      source,
      deck: FAULTS,
      faults,
      seed,
      say,
      // Appended rows of a table that comes back would be there twice: it stays.
      tablesChange: tableType !== 'append',
      streamsFirst: true,
      keepsDeleted: tableType === 'append',
      pace: { waitMs: 1500, change: 0.5, pause: 0.5 },
      settleMs: SETTLE_MS,
    });
    this.#database = database;
    this.scene = { random: randomOf(seed), service, double, writers, tableType, settle: () => this.settle() };
  }

  async run(): Promise<MaxComputeCampaignResult> {
    await this.breakAll();
    return { ...this.result(), seen: [...this.#seen.values()].reduce((all, rows) => all + rows, 0) };
  }

  protected override async untilEqual(wanted: readonly string[], mark: string): Promise<void> {
    for (const table of wanted) {
      const { faults, rows, changes } = await this.untilMarked(table, async () => {
        const verdict = await this.#judge(table);
        return verdict.rows.has(mark) ? verdict : null;
      });
      this.#seen.set(table, changes);
      this.findings.push(...faults.slice(0, 5).map((fault) => `${table}: ${fault}`));
      const compared = await this.compare(table, rows);
      if (compared !== true) this.findings.push(compared);
    }
  }

  protected override textOf({ id, n, v }: SourceRow): string {
    return JSON.stringify([String(id), String(n), v]);
  }

  async #judge(table: string): Promise<Verdict> {
    const { double, tableType } = this.scene;
    return JUDGES[tableType](await double.rows(`${this.#database}_${table}${tableType === 'log' ? '_log' : ''}`));
  }
}
