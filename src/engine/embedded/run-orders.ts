import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import { FilledTargets } from './filled-targets.ts';

/** Where a run hears of newer versions of its definition; what a worker remembers from one try to the next. */
export class RunOrders {
  /** The newest definition. */
  def: PipelineDef;
  readonly filled = new FilledTargets();
  /** Called when there is a newer one. */
  onNewer: () => void = () => {};

  constructor(def: PipelineDef) {
    this.def = def;
    this.filled.add(def);
  }

  apply(def: PipelineDef): void {
    this.def = def;
    this.filled.add(def);
    this.onNewer();
  }
}
