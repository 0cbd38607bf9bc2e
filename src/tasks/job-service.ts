import type { ProjectId, TaskId } from './ids.ts';
import type { JobStart } from './job-reader.ts';
import type { JobChange, JobSpec, MigrationType } from './job-spec.ts';
import type { Caller, InstanceInfo, Reach } from './task-service.ts';

/*
 *   Initialized ──Start──► Running ──Stop──► Stopping ──► Stopped ──Start──► Running
 *                             ├─ error, policy, limit ──► Failed ──Start──► Running
 *                             └─ MigrationType Full: all is loaded ──► Finished
 */
export type JobStatus = 'Initialized' | 'Running' | 'Stopping' | 'Stopped' | 'Failed' | 'Finished';

/** What a list shows of a job. */
export interface JobSummary {
  readonly id: TaskId;
  readonly project: ProjectId;
  readonly name: string;
  readonly status: JobStatus;
  readonly sourceType: string;
  readonly sinkType: string;
  readonly migrationType: MigrationType;
}

export interface Job extends JobSummary {
  readonly spec: JobSpec;
  /** Why it failed; null when it did not. */
  readonly failure: string | null;
  readonly info: InstanceInfo;
  /** Of the plan of what is saved. */
  readonly warnings: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly editedAt: number;
  readonly startedAt: number | null;
  /** Users; null where that was not remembered. */
  readonly creator: string | null;
  readonly editor: string | null;
  readonly starter: string | null;
}

export interface JobFilter {
  /** Part of the name. */
  readonly name: string | null;
  readonly sourceType: string | null;
  readonly sinkType: string | null;
  readonly pageNumber: number;
  readonly pageSize: number;
}

/**
 * Tasks as the newer model sees them: a job is a task, however either was made; its id is the task's. Every method throws
 * TaskError; an id outside of the caller's projects is `not-found`, like one that is nowhere. What a method acknowledges is
 * durable.
 */
export interface JobService {
  /** Looks up the tables that the job's patterns pick, and plans at once. Nothing is stored when that fails. */
  create(caller: Caller, request: { readonly name: string; readonly spec: JobSpec }): Promise<TaskId>;
  /** Picks and plans anew; a running job takes tables, and loses them, without a stop. */
  update(caller: Reach, request: { readonly job: TaskId; readonly change: JobChange }): Promise<void>;
  get(caller: Reach, job: TaskId): Promise<Job>;
  list(caller: Caller, filter: JobFilter): Promise<{ readonly rows: readonly JobSummary[]; readonly total: number }>;
  /** Deploys what is saved, and starts it. `again` forgets the position and loads anew. */
  start(
    caller: Reach,
    request: { readonly job: TaskId; readonly again: boolean; readonly start: JobStart },
  ): Promise<void>;
  stop(caller: Reach, job: TaskId): Promise<void>;
  delete(caller: Reach, job: TaskId): Promise<void>;
}
