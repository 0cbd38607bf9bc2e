const begun = performance.now();

/** One line of the story, with the seconds since its begin. */
export function say(text: string): void {
  console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${text}`);
}
