/**
 * What the page shows, as the part of its address after `#`: a colleague who is sent the address sees the same.
 * Nothing of it goes to the server by itself.
 */
import { type Filter, isGroup, NO_FILTER } from "./filter.ts";
import { type Question, questionOf, questionText } from "./question.ts";
import { isoTime, parseTimeUs } from "./time.ts";
import type { TimeWindow } from "./timeline.ts";

export interface PageAddress {
  /** undefined: now. */
  readonly atUs?: number;
  /** undefined: the window ends now. */
  readonly window?: TimeWindow;
  readonly filter: Filter;
  readonly question?: Question;
}

const NODE = /^\d{1,5}$/;
const WORDS_MAX = 200;

/** What is not understood is left out. */
export function readPageAddress(hash: string): PageAddress {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const atUs = parseTimeUs(parts.get("at") ?? "");
  const fromUs = parseTimeUs(parts.get("from") ?? "");
  const toUs = parseTimeUs(parts.get("to") ?? "");
  const node = parts.get("node") ?? "";
  const question = questionOf(parts.get("why") ?? "");
  return {
    filter: {
      groups: (parts.get("kinds") ?? "").split(",").filter(isGroup),
      node: NODE.test(node) ? Number(node) : NO_FILTER.node,
      words: (parts.get("words") ?? "").slice(0, WORDS_MAX),
      weighty: parts.get("weighty") === "yes",
    },
    ...(atUs === undefined ? {} : { atUs }),
    ...(fromUs === undefined || toUs === undefined || fromUs >= toUs
      ? {}
      : { window: { fromUs, toUs } }),
    ...(question === undefined ? {} : { question }),
  };
}

/** Empty for a page that shows what it shows by itself. */
export function writePageAddress({ atUs, window, filter, question }: PageAddress): string {
  const parts = new URLSearchParams();
  if (atUs !== undefined) parts.set("at", isoTime(atUs));
  if (window !== undefined) {
    parts.set("from", isoTime(window.fromUs));
    parts.set("to", isoTime(window.toUs));
  }
  if (filter.groups.length > 0) parts.set("kinds", filter.groups.join(","));
  if (filter.node !== null) parts.set("node", String(filter.node));
  if (filter.words !== "") parts.set("words", filter.words);
  if (filter.weighty) parts.set("weighty", "yes");
  if (question !== undefined) parts.set("why", questionText(question));
  const text = String(parts);
  return text === "" ? "" : `#${text}`;
}
