import type { Json } from '../lib/json-value.ts';
import type { CheckpointOwner } from './checkpoint.ts';
import type { Policies } from './policies.ts';
import type { Route } from './route.ts';
import type { StartPoint } from './source.ts';

/** One end of a pipeline: which connector, and its settings as that connector parsed them. Holds secrets: never logged. */
export interface EndDef {
  /** Of the data source. */
  readonly name: string;
  readonly type: string;
  readonly settings: Json;
  /** The reader's or the writer's options, as its connector parsed them (schema, writePath, xa …). */
  readonly options: Json;
}

/** What an engine runs: source, routes, policies, sink. Plain data, so that it can be handed to another thread or host. */
export interface PipelineDef {
  readonly owner: CheckpointOwner;
  /** The task version that these routes are of. */
  readonly version: number;
  readonly source: EndDef;
  readonly sink: EndDef;
  readonly routes: readonly Route[];
  readonly policies: Policies;
  /** At a first start; null is now. */
  readonly start: StartPoint | null;
  /** Targets that this task filled before, in an earlier incarnation or before the table was removed. */
  readonly filled: readonly Route['target'][];
}
