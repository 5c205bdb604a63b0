/** Flags of nodes: words of the API, words for people, and how bad each is. */
import { NODE_FLAGS } from "../../../wire/constants.ts";

/** Worst first; the order also of what is said of a node with several. */
export type Level = "critical" | "warning" | "notice" | "good";
const LEVELS: readonly Level[] = ["critical", "warning", "notice", "good"];

export function worst(levels: readonly Level[]): Level {
  return LEVELS.find((level) => levels.includes(level)) ?? "good";
}

/** Smaller is worse. */
export function rankOf(level: Level): number {
  return LEVELS.indexOf(level);
}

interface FlagRow {
  readonly name: string;
  readonly bit: number;
  readonly word: string;
  readonly level: Level;
}

const ROWS: readonly FlagRow[] = [
  { name: "DISCONNECTED", bit: NODE_FLAGS.DISCONNECTED, word: "disconnected", level: "critical" },
  { name: "BANNED", bit: NODE_FLAGS.BANNED, word: "banned", level: "critical" },
  { name: "UNHEALTHY", bit: NODE_FLAGS.UNHEALTHY, word: "unhealthy", level: "critical" },
  { name: "STOPPED", bit: NODE_FLAGS.STOPPED, word: "stopped", level: "warning" },
  {
    name: "DISABLED",
    bit: NODE_FLAGS.PERMANENTLY_DISABLED,
    word: "disabled",
    level: "warning",
  },
  { name: "DELETED", bit: NODE_FLAGS.DELETED, word: "deleted", level: "notice" },
];

/** Of NODE_FLAGS as a number, which events have. */
export function flagWords(bits: number): readonly string[] {
  return ROWS.filter(({ bit }) => (bits & bit) !== 0).map(({ name }) => name);
}

/** A flag that this page does not know is worth a warning, in the word of the API. */
function rowOf(flag: string): Omit<FlagRow, "bit"> {
  const row = ROWS.find(({ name }) => name === flag);
  return row ?? { name: flag, word: flag.toLowerCase(), level: "warning" };
}

export function stateLevel(flags: readonly string[]): Level {
  return worst(flags.map((flag) => rowOf(flag).level));
}

/** `ok`, or `banned, unhealthy` */
export function stateText(flags: readonly string[]): string {
  if (flags.length === 0) return "ok";
  return worstFirst(flags)
    .map((flag) => rowOf(flag).word)
    .join(", ");
}

/** undefined: it has none. */
export function worstFlag(flags: readonly string[]): string | undefined {
  return worstFirst(flags)[0];
}

function worstFirst(flags: readonly string[]): readonly string[] {
  const order = (name: string) => {
    const at = ROWS.findIndex((row) => row.name === name);
    return at < 0 ? ROWS.length : at;
  };
  return [...flags].sort((one, other) => order(one) - order(other));
}

export function sameFlags(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((flag) => other.includes(flag));
}
