/** Nodes of a scripted daemon that keep journals: each answers requests to its API by what a test says. */
import { decodeApiRequest, encodeApiAnswerPart } from "../../src/wire/api_messages.ts";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { PING_LISTENERS } from "../../src/wire/controls.ts";
import type { EventDocument, SourceDocument } from "../../src/wire/journal_documents.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import type { ManualTime } from "../support/manual_time.ts";
import { must } from "../support/must.ts";

export const TIME = "2026-11-29T03:12:41.204000Z";
/** What ManualTime begins with. */
const START_US = 1_700_000_000_000_000;

/** A document; or a status with a problem document. */
export type ScriptedAnswer =
  | { readonly document: object; readonly aheadUs?: number }
  | { readonly status: number; readonly problem: object };

/** Undefined of a node: it has no journal. */
export type AnswerOf = (pnn: number, url: URL) => ScriptedAnswer | undefined | "silent";

export interface AskedApi {
  readonly node: number;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What was asked, in order. */
export function withJournals(
  ctdbd: FakeCtdbd,
  hasJournal: readonly number[],
  answer: AnswerOf,
  time?: ManualTime,
) {
  const asked: AskedApi[] = [];
  const before = ctdbd.onMessage;
  const pinged = ctdbd.handler("PING");
  ctdbd.on("PING", (nothing, pnn, flags) => {
    if ((flags & PING_LISTENERS) === 0) return pinged?.(nothing, pnn, flags) ?? { status: 3 };
    const listeners = hasJournal.includes(pnn === CURRENT ? ctdbd.pnn : pnn) ? 1 : 0;
    return { status: 3, data: encode(u32Codec, listeners) };
  });
  ctdbd.onMessage = (message) => {
    if (message.srvid.hi !== SRVID.API_REQUEST.hi) {
      before(message);
      return;
    }
    const node = message.destnode;
    const request = must(decodeApiRequest(message.data));
    const url = new URL(request.path, "http://node");
    const parameters = Object.fromEntries(url.searchParams);
    asked.push({ node, path: url.pathname, parameters });
    const scripted = answer(node, url);
    if (scripted === undefined || scripted === "silent") return;
    const isDocument = "document" in scripted;
    const nowUs = START_US + (time?.nowMs ?? 0) * 1000;
    const atUs = nowUs + (isDocument ? (scripted.aheadUs ?? 0) : 0);
    const part = {
      id: request.id,
      status: isDocument ? 200 : scripted.status,
      content_type: isDocument ? "application/json" : "application/problem+json",
      part: 0,
      parts: 1,
      received_us: atUs,
      sent_us: atUs,
      text: JSON.stringify(isDocument ? scripted.document : scripted.problem),
    };
    setImmediate(() => ctdbd.sendMessage(request.answer, encodeApiAnswerPart(part), node));
  };
  return asked;
}

const CURRENT = 0xf0000001;

export function eventAt(node: number, id: number, time: string, text: string): EventDocument {
  const event = { kind: "link_up", peer: 1 };
  return { id, node, time, common_time: time, process: "ctdbd", text, event };
}

export function kept(node: number, aheadMs = 0): SourceDocument {
  return { node, journal: "kept", reason: null, clock_ahead_ms: aheadMs, clock_error_ms: 0.5 };
}

const HEAD = { schema_version: 1, time: TIME, node: 0 };

export const WHY_BANNED = {
  ...HEAD,
  question: { subject: "ban", node: 2 },
  answer: {
    event: eventAt(0, 9, TIME, "Node 2 was banned for 300 s by node 0: 3 credits"),
    text: "Node 2 was banned for 300 s by node 0: 3 credits",
    because: [
      {
        event: eventAt(0, 8, "2026-11-29T03:12:41.118000Z", "Recovery 7 failed"),
        text: "Recovery 7 failed",
        because: [
          {
            event: eventAt(2, 4, "2026-11-29T03:12:40.000000Z", "A script hung\u001b[2J"),
            text: "A script hung\u001b[2J",
            because: [],
          },
        ],
      },
    ],
  },
  caveats: ["7 events of node 1 are missing"],
  sources: [kept(0), kept(2, 1500)],
};

export const STATE = {
  ...HEAD,
  at: TIME,
  leader: 0,
  generation: 77,
  recovering: true,
  nodes: [
    { node: 0, address: "10.0.0.1", flags: [], running: true },
    { node: 1, address: "10.0.0.2", flags: ["BANNED", "UNHEALTHY"], running: true },
    { node: 2, address: "10.0.0.3", flags: ["DISCONNECTED"], running: false },
  ],
  addresses: [
    { address: "10.0.0.31", node: 0 },
    { address: "10.0.0.32", node: null },
  ],
  databases: [{ name: "locking.tdb", id: 0x7, kind: "volatile" }],
  caveats: ["node 1 keeps no journal"],
  sources: [kept(0)],
};

export function journalOf(node: number, events: readonly EventDocument[]): object {
  return { schema_version: 1, time: TIME, node, events, sources: [kept(node)] };
}
