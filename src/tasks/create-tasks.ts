import type { CheckpointStore, Engine } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { Alarms } from './alarms.ts';
import type { AlarmService } from './alarm-service.ts';
import { AlarmWatch } from './alarm-watch.ts';
import { ConfigProcesses } from './config-processes.ts';
import type { Surroundings } from './connections.ts';
import type { DataSourceService } from './data-source-service.ts';
import { DataSources } from './data-sources.ts';
import { FinishWatch } from './finish-watch.ts';
import type { FileService } from './file-service.ts';
import { Files } from './files.ts';
import type { Notifier } from './notifier.ts';
import { PlannedVersions } from './planned-versions.ts';
import type { JobService } from './job-service.ts';
import { Jobs } from './jobs.ts';
import { Planner } from './planner.ts';
import type { ProjectConfigService } from './project-config-service.ts';
import { ProjectConfigs } from './project-configs.ts';
import { RunControl } from './run-control.ts';
import type { TaskService } from './task-service.ts';
import type { TaskStore } from './task-store.ts';
import { Tasks } from './tasks.ts';
import { Turns } from './turns.ts';

/** A job is planned while its caller waits, and clients give up after 30 s. */
const IN_CALL_MS = 20_000;

export interface CreateTasksOptions extends Surroundings {
  readonly store: TaskStore;
  readonly checkpoints: CheckpointStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long planning may wait for both servers; a minute when it is not given. */
  readonly planTimeoutMs?: number;
  /** How long a look at the server behind a data source may take; 20 s when it is not given. */
  readonly probeTimeoutMs?: number;
  /** Tells the receivers of alarms. */
  readonly notifier: Notifier;
  /** Makes the engine; what it is told by its runs goes to `listener`. */
  engine(listener: RunControl): Engine;
}

export interface CreatedTasks {
  readonly tasks: TaskService;
  readonly jobs: JobService;
  readonly dataSources: DataSourceService;
  readonly projectConfigs: ProjectConfigService;
  readonly files: FileService;
  readonly alarms: AlarmService;
  readonly engine: Engine;
  readonly alarmWatch: AlarmWatch;
  readonly finishWatch: FinishWatch;
  /** Takes up unfinished config processes and runs of an earlier life of the service, and watches the alarm rules. */
  resumeAll(): Promise<void>;
  close(deadlineMs: number): Promise<void>;
}

/** Joins the parts of this folder. */
export function createTasks(options: CreateTasksOptions): CreatedTasks {
  const { store, checkpoints, connectors, instances, hosts, clock, log, notifier, planTimeoutMs } = options;
  const planner = new Planner({
    store,
    connectors,
    instances,
    hosts,
    ...(planTimeoutMs === undefined ? {} : { timeoutMs: planTimeoutMs }),
  });
  const processes = new ConfigProcesses({ store, planner, clock, log });
  const runs = new RunControl({ store, planner, checkpoints, clock, log });
  const engine = options.engine(runs);
  runs.attach(engine);
  const turns = new Turns();
  const tasks = new Tasks({ store, versions: new PlannedVersions({ store, planner }), processes, runs, clock, turns });
  const planMs = Math.min(planTimeoutMs ?? IN_CALL_MS, IN_CALL_MS);
  const finishWatch = new FinishWatch({ runs, turns, log });
  const alarmWatch = new AlarmWatch({ store, runs, notifier, clock, log });
  return {
    tasks,
    jobs: new Jobs({ store, planner, planMs, tasks, runs, clock, turns }),
    dataSources: new DataSources(options),
    projectConfigs: new ProjectConfigs(store),
    files: new Files({ store, tasks }),
    alarms: new Alarms(store),
    engine,
    alarmWatch,
    finishWatch,
    resumeAll: async () => {
      await processes.resume();
      await runs.resumeAll();
      await alarmWatch.resume();
      finishWatch.start();
    },
    close: async (deadlineMs) => {
      await finishWatch.close();
      await alarmWatch.close();
      await processes.close();
      await engine.close(deadlineMs);
    },
  };
}
