import { AS_SET, jobStartParam } from './job-reader.ts';
import type { JobSpec } from './job-spec.ts';
import type { TaskRecord } from './task-store.ts';

/** As many as people read. */
const WARNINGS_MAX = 100;

/** What is read of a plan's text. */
interface PlanText {
  readonly warnings?: readonly string[];
  readonly tables: Readonly<Record<'added' | 'kept', readonly PlannedTable[]>>;
}

interface PlannedTable {
  readonly database: string;
  readonly table: string;
  readonly warnings: readonly string[];
}

/** What a plan warns of: of the whole, then of tables. */
export function planWarnings(plan: string): string[] {
  const { warnings = [], tables } = JSON.parse(plan) as PlanText;
  const ofTables = [...tables.added, ...tables.kept].flatMap((table) =>
    table.warnings.map((warning) => `${table.database}.${table.table}: ${warning}`),
  );
  return [...warnings, ...ofTables].slice(0, WARNINGS_MAX);
}

/** A run keeps the settings that it was started with. */
export function settingsWarnings({ state }: TaskRecord, before: JobSpec, after: JobSpec): string[] {
  const [had, has] = [before, after].map(({ JobSettings }) => jobStartParam(JobSettings, AS_SET));
  return state === 'RUN' && had !== has
    ? ['JobSettings change: the run has them from its next start on, so call StopDIJob, then StartDIJob']
    : [];
}
