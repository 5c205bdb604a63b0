/** How events, explanations and states are shown. What comes from journals is text of others: nothing of it moves the cursor. */
import type {
  ExplainedDocument,
  SourceDocument,
  StateDocument,
} from "../../wire/journal_documents.ts";
import { dateAndTime, hex8, printable } from "../format.ts";

const INDENT = "  ";

/** In local time, as logs have it, to the millisecond. */
export function shownTime(us: number): string {
  const ms = Math.floor(us / 1000);
  return `${dateAndTime(Math.floor(ms / 1000))}.${String(ms % 1000).padStart(3, "0")}`;
}

/** An event and what led to it, each cause a line below, further in. */
export function chainLines(
  explained: ExplainedDocument,
  timeOf: (of: ExplainedDocument) => string,
  depth = 0,
): readonly string[] {
  const lead = depth === 0 ? "" : `${INDENT.repeat(depth)}because: `;
  return [
    `${timeOf(explained)}  ${lead}${printable(explained.text)}`,
    ...explained.because.flatMap((cause) => chainLines(cause, timeOf, depth + 1)),
  ];
}

/** What the reader must know of the journals that were asked. */
export function sourceNotes(sources: readonly SourceDocument[]): readonly string[] {
  return sources.flatMap(({ node, journal, reason, clock_ahead_ms, clock_error_ms }) => {
    if (journal !== "kept") return [printable(reason ?? `no journal on node ${node}`)];
    const ahead = clock_ahead_ms ?? 0;
    if (Math.abs(ahead) < Math.max(CLOCK_OFFSET_SHOWN_MS, 2 * (clock_error_ms ?? 0))) return [];
    const side = ahead > 0 ? "ahead" : "behind";
    const seconds = (Math.abs(ahead) / 1000).toFixed(3);
    return [`the clock of node ${node} is ${seconds} s ${side}: its times are shown by ours`];
  });
}

/** Less is nothing to look at. */
const CLOCK_OFFSET_SHOWN_MS = 50;

export function stateLines(state: StateDocument, at: string): readonly string[] {
  const nodes = state.nodes.map(({ node, address, flags, running }) => {
    const words = running === false ? ["NOT RUNNING", ...flags] : flags;
    const shown = words.length === 0 ? "OK" : words.join("|");
    return `pnn:${node} ${printable(address).padEnd(16)} ${printable(shown)}`;
  });
  const addresses = state.addresses.map(
    ({ address, node }) => `${printable(address)} ${node ?? -1}`,
  );
  const databases = state.databases.map(
    ({ name, id, kind }) => `dbid:0x${hex8(id)} name:${printable(name)} ${printable(kind)}`,
  );
  return [
    `At ${at}`,
    `Number of nodes:${nodes.length}`,
    ...nodes,
    `Generation:${state.generation ?? "UNKNOWN"}`,
    `Recovery mode:${state.recovering ? "RECOVERY (1)" : "NORMAL (0)"}`,
    `Leader:${state.leader ?? "UNKNOWN"}`,
    `Public IPs:${addresses.length}`,
    ...addresses,
    `Number of databases:${databases.length}`,
    ...databases,
  ];
}
