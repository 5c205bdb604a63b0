/** The first line in which two texts differ, with its number. */
export function firstDifference(theirs: string, ours: string): string {
  const [a, b] = [theirs.split("\n"), ours.split("\n")];
  const at = a.findIndex((line, index) => line !== b[index]);
  const index = at < 0 ? a.length : at;
  return `line ${index + 1}: theirs "${a[index] ?? "nothing"}", ours "${b[index] ?? "nothing"}"`;
}
