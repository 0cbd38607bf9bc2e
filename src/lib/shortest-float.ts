/** The shortest decimal that gives the same float32. */
export function shortestFloat32(value: number): string {
  for (let digits = 1; digits <= 8; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
