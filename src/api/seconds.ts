/** Of milliseconds: times of jobs and alarm rules are whole seconds since the epoch. */
export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
