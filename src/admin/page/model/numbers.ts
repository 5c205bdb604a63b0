/** Numbers and bytes in words. */

/** `0`, `0.4`, `12`, `1 240`, `3.1 M` */
export function countText(value: number): string {
  if (value >= 10_000_000) return `${trimmed(value / 1_000_000)} M`;
  if (value > 0 && value < 10 && !Number.isInteger(value)) return trimmed(value);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A figure that nobody has told. */
const UNTOLD = "–";

export function maybeCount(value: number | null): string {
  return value === null ? UNTOLD : countText(value);
}

function trimmed(value: number): string {
  const text = value.toFixed(1);
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** `1 node`, `3 nodes` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c` */
export function listText(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export function nodesText(nodes: readonly number[]): string {
  return nodes.length === 1 ? `node ${nodes[0]}` : `nodes ${listText(nodes.map(String))}`;
}

/** `0–3, 5`: for many. */
export function rangesText(nodes: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const node of [...nodes].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && node <= last[1] + 1) last[1] = node;
    else ranges.push([node, node]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

const KEY_CHARACTERS_MAX = 24;

/** A key as text where most of it is printable, else its hexadecimal digits; a long one is cut. */
export function keyText(hex: string): string {
  const bytes = hex.match(/../g)?.map((digits) => Number.parseInt(digits, 16)) ?? [];
  // Samba's keys are often texts with their NUL.
  const body = bytes.at(-1) === 0 ? bytes.slice(0, -1) : bytes;
  const printable = body.length > 0 && body.every((byte) => byte >= 0x20 && byte < 0x7f);
  const text = printable ? String.fromCharCode(...body.slice(0, KEY_CHARACTERS_MAX + 1)) : hex;
  return text.length > KEY_CHARACTERS_MAX ? `${text.slice(0, KEY_CHARACTERS_MAX)}…` : text;
}
