/** Parts of sentences: spans of time, flags, who did something, lists. */
import { ETIME, ETIMEDOUT, errnoText } from "../../base/errno.ts";
import type { JournalActor, JournalProcess } from "../../base/journal_event.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";

/** In the order in which they matter to a reader. */
const FLAGS: readonly (readonly [word: string, mask: number])[] = [
  ["DELETED", NODE_FLAGS.DELETED],
  ["DISCONNECTED", NODE_FLAGS.DISCONNECTED],
  ["BANNED", NODE_FLAGS.BANNED],
  ["STOPPED", NODE_FLAGS.STOPPED],
  ["DISABLED", NODE_FLAGS.PERMANENTLY_DISABLED],
  ["UNHEALTHY", NODE_FLAGS.UNHEALTHY],
];

export const PROCESS_WORDS: Readonly<Record<JournalProcess, string>> = {
  ctdbd: "ctdbd",
  recoverd: "the recovery daemon",
  eventd: "the event daemon",
  admind: "ctdb-admind",
  recovery_helper: "the recovery helper",
  takeover_helper: "the takeover helper",
};

export function spanText(ms: number): string {
  if (ms < 1) return "less than 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const parts = hours === 0 ? [minutes, "min", seconds % 60, "s"] : [hours, "h", minutes, "min"];
  return parts.slice(0, parts[2] === 0 ? 2 : 4).join(" ");
}

/** As "2026-11-29 03:04:05 UTC". */
export function timeText(us: number): string {
  const ms = Math.min(us / 1000, 8.64e15);
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function nodesText(nodes: readonly number[]): string {
  if (nodes.length === 0) return "no node";
  return `${nodes.length === 1 ? "node" : "nodes"} ${listText(nodes.map(String))}`;
}

export function listText(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** What a node has got and lost. One that is disconnected is unhealthy to others too, which says nothing more. */
export function flagChanges(before: number, after: number) {
  const gained = wordsOf(after & ~before);
  const lost = wordsOf(before & ~after);
  const own = (words: readonly string[]) =>
    words.includes("DISCONNECTED") ? words.filter((word) => word !== "UNHEALTHY") : words;
  return { gained: own(gained), lost: own(lost) };
}

function wordsOf(flags: number): readonly string[] {
  return FLAGS.filter(([, mask]) => (flags & mask) !== 0).map(([word]) => word);
}

/** undefined: not known. `own`: the node whose journal says it. */
export function actorText({ node, pid, program }: JournalActor, own: number): string | undefined {
  if (pid !== undefined) {
    const name = program === undefined ? "" : ` (${program})`;
    return `process ${pid}${name} on node ${node ?? own}`;
  }
  return node === null ? undefined : `node ${node}`;
}

/** `: reason` without its full stop, or nothing. */
export function because(reason: string | null): string {
  const text = (reason ?? "").trim().replace(/\.$/, "");
  return text === "" ? "" : `: ${text}`;
}

/** How a script ended. Negative: an errno. */
export function resultText(result: number): string {
  if (result === -ETIME || result === -ETIMEDOUT) return "did not end in time and was given up";
  if (result < 0) return `could not be run (${errnoText(-result)})`;
  return result === 0 ? "succeeded" : `failed with exit status ${result}`;
}
