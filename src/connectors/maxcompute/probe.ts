import {
  failed,
  loginStages,
  passed,
  probeAddress,
  type ProbeOptions,
  type Stage,
  type StageName,
  WITHOUT_TLS,
} from '../../pipeline/stages.ts';
import { toPipelineError } from './errors.ts';
import { closeService, openRest, openService } from './service.ts';
import { addressOf, asMaxComputeSettings } from './settings.ts';

export const PROBE_STAGES: readonly StageName[] = ['name resolution', 'TCP', 'TLS', 'login', 'tunnel'];
/** Somebody waits for the answer. */
const RETRY_FIRST_MS = 50;

/** From the name of the endpoint to the tunnel that takes the rows. */
export async function* probe({ settings, signal }: ProbeOptions): AsyncGenerator<Stage> {
  const maxcompute = asMaxComputeSettings(settings);
  const { host, port, tls } = addressOf(maxcompute.endpoint);
  for await (const stage of probeAddress({ host, port, hosts: maxcompute.hosts }, signal)) {
    yield stage;
    if (stage.outcome === 'failed') return;
  }
  const { project } = maxcompute;
  const rest = openRest(maxcompute, RETRY_FIRST_MS);
  try {
    const params = [['curr_project', project]] as const;
    await rest.call({ method: 'GET', path: ['projects', project], params }, signal);
  } catch (error) {
    yield* loginStages(toPipelineError(error, `asking ${host}:${port} for the project ${project}`), {
      usesTls: tls,
      tlsCode: 'Sink.TlsFailed',
    });
    return;
  } finally {
    rest.close();
  }
  yield tls ? passed('TLS', 'encrypted') : WITHOUT_TLS;
  yield passed('login', `the project ${project}, as ${maxcompute.accessId}`);
  yield await tunnelStage(maxcompute, signal);
}

async function tunnelStage(settings: ReturnType<typeof asMaxComputeSettings>, signal: AbortSignal): Promise<Stage> {
  try {
    const service = await openService(settings, RETRY_FIRST_MS, signal);
    const { endpoint } = service.tunnel.settings;
    closeService(service);
    const { host, port } = addressOf(endpoint);
    for await (const stage of probeAddress({ host, port, hosts: settings.hosts }, signal))
      if (stage.outcome === 'failed') return { ...stage, stage: 'tunnel' };
    return passed('tunnel', `${host}:${port} accepts connections`);
  } catch (error) {
    return failed('tunnel', error);
  }
}
