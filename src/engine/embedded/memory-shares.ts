const MIB = 2 ** 20;

/** What a worker takes that holds no row. */
const EMPTY_MB = 128;

/**
 * How the memory of a run is shared out: the JavaScript heap, what a source reads and holds, what waits in the sink. None
 * of it is taken before it is needed.
 */
export interface MemoryShares {
  readonly heapMb: number;
  readonly sourceBytes: number;
  readonly sinkBytes: number;
}

/** A row may take a part of the source's share, and is then held several times: there, in the sink, and on the way between. */
export function shareMemory(memoryMb: number): MemoryShares {
  const rowBytes = (memoryMb - EMPTY_MB) * MIB;
  return {
    heapMb: Math.floor((memoryMb * 3) / 8),
    sourceBytes: Math.floor((rowBytes * 3) / 8),
    sinkBytes: Math.floor(rowBytes / 4),
  };
}
