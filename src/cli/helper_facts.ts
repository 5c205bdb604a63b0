/**
 * What helpers print as documents of --json: the event tool knows --json itself, the scripts of the NAT gateway and of LVS
 * print lines with the same words as ever. Loaded on demand.
 */
import type { EventStatusFacts } from "../services/tool/event_schemas.ts";
import type { HelperAnswer } from "./commands/helpers.ts";
import type { ToolHost } from "./host.ts";
import { answerFacts } from "./json.ts";
import type { Facts } from "./schemas/facts.ts";
import type { lvsFacts, natgwFacts } from "./schemas/helpers.ts";

/** The event tool's document; false: there is none, and what it said instead was said. */
export function passOn(host: ToolHost, { out, err }: HelperAnswer): boolean {
  const said = parsedDocument(err);
  const messages = messagesOf(said);
  host.err(messages === undefined ? err : `${messages.join("\n")}\n`);
  const document = parsedDocument(out);
  if (document === undefined) {
    host.out(out);
    return false;
  }
  const { schema_version: _own, ...facts } = document;
  answerFacts(host, facts);
  return true;
}

function parsedDocument(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Of a document about an error. */
function messagesOf(document: ReturnType<typeof parsedDocument>): readonly string[] | undefined {
  const error = document?.["error"];
  if (typeof error !== "object" || error === null || !("messages" in error)) return undefined;
  const { messages } = error;
  return Array.isArray(messages) ? messages.map(String) : undefined;
}

/** The document of `scriptstatus`, which never fails, where nobody could be asked. */
export function unknownStatus(host: ToolHost, component: string, event: string): void {
  const facts: EventStatusFacts = { component, event, state: "unknown", result: null, scripts: [] };
  answerFacts(host, facts);
}

/** Statuses of `leader` that say that there is none. */
const NO_NATGW_LEADER = 2;
const NO_LVS_LEADER = 255;

type Lines = readonly (readonly string[])[];

/** The document of `natgw WHAT`; without one what the helper said was said. */
export function answerNatgw(host: ToolHost, what: string, answer: HelperAnswer): void {
  const facts = answer.status === 0 || noLeader(what, answer, NO_NATGW_LEADER);
  const lines = linesOf(answer.out);
  if (facts && what === "leader") {
    const [pnn, address = ""] = lines[0] ?? [];
    const leader = pnn === undefined ? null : { pnn: Number(pnn), address };
    answerFacts(host, { leader } satisfies Facts<typeof natgwFacts>);
  } else if (facts && what === "list") {
    const group = lines.map(([address = "", remarks = ""]) => ({
      address,
      leader: remarks.split(",").includes("LEADER"),
      follower_only: remarks.split(",").includes("follower-only"),
    }));
    answerFacts(host, { group } satisfies Facts<typeof natgwFacts>);
  } else answerStatus(host, facts && what === "status", answer, lines);
}

/** As answerNatgw(). */
export function answerLvs(host: ToolHost, what: string, answer: HelperAnswer): void {
  const facts = answer.status === 0 || noLeader(what, answer, NO_LVS_LEADER);
  const lines = linesOf(answer.out);
  if (facts && what === "leader") {
    const pnn = lines[0]?.[0];
    const leader = pnn === undefined ? null : Number(pnn);
    answerFacts(host, { leader } satisfies Facts<typeof lvsFacts>);
  } else if (facts && what === "list") {
    const usable = lines.map(([pnn, address = ""]) => ({ pnn: Number(pnn), address }));
    answerFacts(host, { usable } satisfies Facts<typeof lvsFacts>);
  } else answerStatus(host, facts && what === "status", answer, lines);
}

function noLeader(what: string, { status, out, err }: HelperAnswer, none: number): boolean {
  return what === "leader" && status === none && out === "" && err === "";
}

/** Lines of `nodestatus`, where they are that; what the helper said otherwise. */
function answerStatus(
  host: ToolHost,
  isStatus: boolean,
  { out, err }: HelperAnswer,
  lines: Lines,
): void {
  host.err(err);
  if (!isStatus) {
    host.out(out);
    return;
  }
  const nodes = lines.map(([pnn = "", address = "", states = "", ...rest]) => ({
    pnn: Number(pnn.replace("pnn:", "")),
    address,
    states: states === "OK" ? [] : states.split("|"),
    this_node: rest.length > 0,
  }));
  answerFacts(host, { nodes } satisfies Facts<typeof natgwFacts>);
}

function linesOf(text: string): Lines {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
}
