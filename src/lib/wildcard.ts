/**
 * Whether `text` is of the form of `pattern`: `*` stands for any characters, also none, `?` for one; the others for
 * themselves. At most one step for each pair of their characters.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let next = 0;
  /** Behind the last `*`, and how far it has been stretched: where to go on after a mismatch. */
  let afterStar = -1;
  let stretched = 0;
  while (at < text.length) {
    const wanted = pattern[next];
    if (wanted === '*') {
      next += 1;
      afterStar = next;
      stretched = at;
    } else if (wanted === '?' || wanted === text[at]) {
      next += 1;
      at += 1;
    } else if (afterStar !== -1) {
      stretched += 1;
      at = stretched;
      next = afterStar;
    } else {
      return false;
    }
  }
  while (pattern[next] === '*') next += 1;
  return next === pattern.length;
}
