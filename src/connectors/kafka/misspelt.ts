/** Names that are known but for capitals, dots, dashes and underscores, each with the one that is meant: nobody means another. */
export function misspelt(given: readonly string[], known: readonly string[]): ReadonlyMap<string, string> {
  const byLetters = new Map(known.map((name) => [lettersOf(name), name]));
  return new Map(
    given.flatMap((name) => {
      const meant = byLetters.get(lettersOf(name));
      return meant === undefined || meant === name ? [] : [[name, meant] as const];
    }),
  );
}

function lettersOf(name: string): string {
  return name.replaceAll(/[._-]/g, '').toLowerCase();
}
