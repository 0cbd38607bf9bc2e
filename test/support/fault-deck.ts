import type { CountingWriter } from './counting-writer.ts';
import type { Service } from './service.ts';

/** What faults of any kind happen to. */
export interface FaultScene {
  readonly random: () => number;
  readonly service: Service;
  readonly writers: readonly CountingWriter[];
}

/** Whatever it breaks is whole again when it resolves. */
export interface Fault<S extends FaultScene> {
  /** How often it comes in a deck of faults. */
  readonly weight: number;
  readonly make: (scene: S) => Promise<void>;
}

/** Faults by name. */
export type FaultDeck<S extends FaultScene> = Readonly<Record<string, Fault<S>>>;

/** `count` faults in a random order: each comes as often as its weight says, as far as that goes. */
export function drawFaults<S extends FaultScene>(
  faults: FaultDeck<S>,
  random: () => number,
  count: number,
): (Fault<S> & { readonly name: string })[] {
  const drawn: (Fault<S> & { readonly name: string })[] = [];
  while (drawn.length < count) {
    const deck = Object.entries(faults).flatMap(([name, fault]) =>
      Array.from({ length: fault.weight }, () => ({ fault: { name, ...fault }, order: random() })),
    );
    drawn.push(...deck.toSorted((a, b) => a.order - b.order).map(({ fault }) => fault));
  }
  return drawn.slice(0, count);
}
