import { DEFAULT_HOST_POLICY } from '../../src/lib/host-policy.ts';
import type { JsonObject } from '../../src/lib/json-value.ts';
import type { SinkConnector, SourceConnector } from '../../src/pipeline/connector.ts';
import type { Stage } from '../../src/pipeline/stages.ts';

/** Every stage that a connector finds on its way to the server of a `Content`. */
export async function probeStages(
  connector: Pick<SourceConnector | SinkConnector, 'parseSettings' | 'probe'>,
  content: JsonObject,
): Promise<Stage[]> {
  const settings = connector.parseSettings(content, DEFAULT_HOST_POLICY);
  const stages: Stage[] = [];
  for await (const stage of connector.probe({ settings, signal: AbortSignal.timeout(20_000) })) stages.push(stage);
  return stages;
}

/** Such as `TCP: passed`. */
export function outcomes(stages: readonly Stage[]): string[] {
  return stages.map(({ stage, outcome }) => `${stage}: ${outcome}`);
}
