/** Words of commands, as values. */
export function seconds(text: string | undefined): number {
  const match = /^([0-9.]+)s$/.exec(text ?? "");
  if (match === null) throw new Error(`expected seconds like 10s, got "${text}"`);
  return Number(match[1]);
}
