import type { DdlPolicies } from '../pipeline/policies.ts';
import type { Caller } from './task-service.ts';

/** Which runs a configuration is for. Types are those of data sources. */
export interface ConfigScope {
  readonly sinkType: string;
  /** Null: every source. */
  readonly sourceType: string | null;
}

/** What a project says of DDL for its runs, where StartParam says nothing. A run takes it at its start. */
export interface ProjectConfigService {
  /** What a run would take now. */
  ddlPolicies(caller: Caller, scope: ConfigScope): Promise<DdlPolicies>;
  /**
   * Replaces what was said for this scope; kinds that are left out are again those of the next wider scope.
   * `config` is JSON text. Errors: TaskError `invalid`, naming an unknown kind or policy.
   */
  replaceDdlPolicies(caller: Caller, scope: ConfigScope, config: string): Promise<void>;
}
