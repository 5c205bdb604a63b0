/** Which events are shown: the server is asked for kinds and node, words are looked for in what it has answered. */
import type { Entry } from "./documents.ts";
import { GROUPS, type Group, groupOf, kindName, kindsOf, levelOf } from "./kinds.ts";

export interface Filter {
  /** Empty: all. */
  readonly groups: readonly Group[];
  readonly node: number | null;
  readonly words: string;
  /** Without what is neither wrong nor a change. */
  readonly weighty: boolean;
}

export const NO_FILTER: Filter = { groups: [], node: null, words: "", weighty: false };

export function matches(filter: Filter, entry: Entry): boolean {
  if (filter.groups.length > 0 && !filter.groups.includes(groupOf(entry))) return false;
  if (filter.node !== null && entry.node !== filter.node) return false;
  if (filter.weighty && levelOf(entry) === "good") return false;
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = `node ${entry.node} ${kindName(entry)} ${entry.text}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Whether what is at hand of the one says nothing of the other. */
export function asksAnew(before: Filter, after: Filter): boolean {
  return before.node !== after.node || `${before.groups}` !== `${after.groups}`;
}

/** The kinds to ask the server for; empty: all. */
export function wantedKinds({ groups }: Filter): readonly string[] {
  return groups.length === 0 || groups.length === GROUPS.length ? [] : kindsOf(groups);
}

export function isGroup(name: string): name is Group {
  return (GROUPS as readonly string[]).includes(name);
}
