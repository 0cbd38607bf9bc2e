/** Chance, injected: where a connector asks, something may go wrong or take its time. Deterministic under a seed. */
export interface Faults {
  /** Throws, or waits, or does nothing, at the place named. */
  at(place: FaultPlace): Promise<void>;
  /** A whole number from 0 to `below` - 1. */
  pick(below: number): number;
}

export type FaultPlace = 'describe' | 'read' | 'recover' | 'prepare' | 'write' | 'commit-before' | 'commit-after';

/** Nothing goes wrong, nothing waits, everything is as small as it can be. */
export const noFaults: Faults = { at: async () => {}, pick: () => 0 };
