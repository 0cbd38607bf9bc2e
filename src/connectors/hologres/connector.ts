import type { SinkConnector } from '../../pipeline/connector.ts';
import { readCatalogue } from './catalogue.ts';
import { forgetCheckpoint } from './checkpoint-table.ts';
import { toPipelineError } from './errors.ts';
import { asHologresSettings, parseHologresOptions, parseHologresSettings } from './options.ts';
import { PROBE_STAGES, probe } from './probe.ts';
import { planTargets } from './plan-targets.ts';
import { connect, disconnect } from './server.ts';
import { HologresSink } from './sink.ts';

/** Hologres, and PostgreSQL behind the same protocol: the server itself says which of the two it is. */
export const hologresConnector: SinkConnector = {
  type: 'holo',
  parseSettings: parseHologresSettings,
  readCatalogue,
  probeStages: PROBE_STAGES,
  probe,
  parseOptions: parseHologresOptions,
  takesTablesWithoutKey: () => false,
  planTargets,
  open: (options) => new HologresSink(options),
  async forget({ settings, installation, task }) {
    const { client, server } = await connect(asHologresSettings(settings));
    try {
      // Hologres never holds one.
      if (server.kind === 'postgresql') await forgetCheckpoint(client, installation, task);
    } catch (error) {
      throw toPipelineError(error, 'removing the checkpoint');
    } finally {
      disconnect(client);
    }
  },
};
