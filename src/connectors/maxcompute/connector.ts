import type { SinkConnector } from '../../pipeline/connector.ts';
import { readCatalogue } from './catalogue.ts';
import { openMerges } from './log-merges.ts';
import { parseMaxComputeOptions } from './options.ts';
import { planTargets } from './plan-targets.ts';
import { PROBE_STAGES, probe } from './probe.ts';
import { parseMaxComputeSettings } from './settings.ts';
import { MaxComputeSink } from './sink.ts';

/** MaxCompute, by its data tunnel and its SQL. */
export const maxComputeConnector: SinkConnector = {
  type: 'odps',
  parseSettings: parseMaxComputeSettings,
  readCatalogue,
  probeStages: PROBE_STAGES,
  probe,
  parseOptions: parseMaxComputeOptions,
  takesTablesWithoutKey: (options) => parseMaxComputeOptions(options).tableType !== 'delta',
  planTargets,
  open: (options) => new MaxComputeSink(options),
  openMerges,
  // The journal is in our own store, and forgotten there.
  forget: async () => {},
};
