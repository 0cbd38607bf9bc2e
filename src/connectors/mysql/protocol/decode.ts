import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';

/** Hands the value at `at` to the visitor and returns where the next one starts. */
export type Decode = (buffer: Buffer, at: number, visitor: ValueVisitor) => number;
