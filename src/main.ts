// The composition root: reads the configuration, builds the parts, joins them, starts, stops.
import { Command } from 'commander';
import { operations } from './api/catalogue.ts';
import { createGateway } from './api/gateway.ts';
import type { Health } from './api/http/health.ts';
import { createHealthListener } from './api/http/health-listener.ts';
import { DEFAULT_LIMITS } from './api/limits.ts';
import { registerAccess } from './cli/access.ts';
import { registerAudit } from './cli/audit.ts';
import { registerCall } from './cli/call.ts';
import { registerDoctor } from './cli/doctor.ts';
import { registerMerge } from './cli/merge.ts';
import { registerMasterKey } from './cli/master-key.ts';
import { type Config, readConfig } from './config.ts';
import { sinks, sources } from './connectors/index.ts';
import { EmbeddedEngine } from './engine/embedded/embedded-engine.ts';
import { RunMetrics } from './engine/run-metrics.ts';
import { systemClock } from './lib/clock.ts';
import { armCrashPoint } from './lib/crash-point.ts';
import { describeError } from './lib/errors.ts';
import { createLog } from './lib/pino-log.ts';
import { VERSION } from './lib/version.ts';
import { WebhookNotifier } from './notify/webhook-notifier.ts';
import { Store } from './store/store.ts';
import { createTasks } from './tasks/create-tasks.ts';
import type { ProjectId } from './tasks/ids.ts';

/** Time that a stop may take: runs flush and save, then the process ends whatever happens. */
const STOP_MS = 8000;
const DEV_PROJECT = 10000n as ProjectId;

async function serve(config: Config): Promise<void> {
  armCrashPoint(config.crashPoint);
  const clock = systemClock;
  const log = createLog(config.logLevel);
  const { dataDir, masterKey, masterKeyFile, dev } = config;
  const store = Store.open({ folder: dataDir, masterKey, masterKeyFile, clock, exclusive: true });
  if (dev && !(await store.access.projectExists(DEV_PROJECT)))
    await store.access.createProject(DEV_PROJECT, 'development');

  let embedded: EmbeddedEngine | undefined;
  const created = createTasks({
    store,
    checkpoints: store.checkpoints,
    connectors: { sources, sinks },
    instances: config.instances,
    hosts: config.hosts,
    clock,
    log,
    notifier: new WebhookNotifier({ hosts: config.hosts, robots: config.robots, clock, log }),
    engine: (listener) => {
      embedded = new EmbeddedEngine({
        store: store.checkpoints,
        journals: store.journals,
        listener,
        log,
        memoryMb: config.runMemoryMb,
        crashPoint: config.crashPoint,
        connectors: new URL('./connectors/index.ts', import.meta.url),
      });
      return embedded;
    },
  });
  const metrics = new RunMetrics(() => embedded?.statuses() ?? new Map());
  const health: Health = {
    live: async () => ({ ok: true }),
    ready: async () =>
      (await store.isWritable()) ? { ok: true } : { ok: false, details: { why: 'the store cannot be written' } },
    metrics: () => metrics.render(),
  };
  const { tasks, jobs, dataSources, projectConfigs, files, alarms } = created;
  const gateway = createGateway({
    operations,
    access: store.access,
    audit: store.audit,
    tasks,
    jobs,
    dataSources,
    projectConfigs,
    files,
    alarms,
    clock: Date.now,
    log,
    dev,
    limits: config.throttle,
    health: config.metrics === null ? health : null,
    tls: config.tls,
  });
  const watch = config.metrics === null ? null : createHealthListener(health, log);

  await created.resumeAll();
  if (config.metrics !== null) await watch?.listen(config.metrics.host, config.metrics.port);
  const port = await gateway.listen(config.host, config.port);
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  console.log(
    `disync is ready on ${config.tls === null ? 'http' : 'https'}://${host}:${port}${dev ? `, for development: project ${DEV_PROJECT}, any access key` : ''}; its store is ${dataDir}`,
  );

  const signal = await stopSignal();
  log.info({ signal }, 'stopping');
  setTimeout(() => process.exit(1), STOP_MS + 1500);
  await Promise.all([gateway.close(2000), watch?.close(500)]);
  await created.close(STOP_MS - 2000);
  await store.close();
  // What is durable is closed. A connection to a slow server, or a thread that did not end in time, need not be awaited.
  process.exit(0);
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    // Each time: a Ctrl-C comes from the terminal and once more from the program that started us; it must not cut the end short.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
}

function registerServe(program: Command): void {
  const { readsPerSecond, writesPerSecond } = DEFAULT_LIMITS;
  program
    .command('serve')
    .description('runs the service until SIGTERM or Ctrl-C')
    .option('--host <address>', 'address of the API (127.0.0.1)')
    .option('--port <port>', 'port of the API (8580); 0 takes a free one')
    .option('--data-dir <folder>', 'folder of the store (./disync-data)')
    .option('--dev', 'project 10000, any access key, no signatures; loopback only')
    .option('--tls-cert <file>', 'certificate chain, PEM')
    .option('--tls-key <file>', 'private key, PEM')
    .option('--insecure', 'allow an address beyond loopback without TLS')
    .option(
      '--reads-per-second <calls>',
      `that one key may make of one reading operation (${readsPerSecond}); 0: no limit`,
    )
    .option(
      '--writes-per-second <calls>',
      `that one key may make of one writing operation (${writesPerSecond}); 0: no limit`,
    )
    .option('--metrics-host <address>', 'address of /metrics, /healthz, /readyz when they have a port of their own')
    .option('--metrics-port <port>', 'give them a port of their own')
    .option('--master-key-file <file>', 'the key that seals stored secrets')
    .option('--log-level <level>', 'error, warn, info or debug (info)')
    .option('--run-memory-mb <mebibytes>', 'memory that one run may take, heap and buffers together (512)')
    .option('--config <file>', 'YAML file with the same settings')
    .action((flags: Record<string, unknown>) => serve(readConfig(flags)));
}

const program = new Command('disync')
  .description('Data integration that speaks the DataWorks OpenAPI and moves the data itself')
  .version(VERSION)
  .showHelpAfterError();
registerServe(program);
registerAccess(program);
registerAudit(program);
registerCall(program);
registerDoctor(program);
registerMasterKey(program);
registerMerge(program);
try {
  await program.parseAsync();
} catch (error) {
  console.error(`disync: ${describeError(error)}`);
  // Runs may be at work already: a service that cannot be reached must not go on.
  process.exit(1);
}
