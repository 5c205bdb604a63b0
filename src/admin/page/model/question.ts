/** What somebody wants explained: as a title, as parameters of /api/v1/why, and as a word of the page's address. */
import { stateText, worstFlag } from "./flags.ts";
import { isoTime } from "./time.ts";

export type Question =
  | { readonly subject: "ban"; readonly node: number }
  /** `flag`: one that it has, in the word of the API; else whatever changed last. */
  | { readonly subject: "flags"; readonly node: number; readonly flag?: string }
  | { readonly subject: "recovery" | "leader" }
  | { readonly subject: "address"; readonly address: string }
  | { readonly subject: "event"; readonly node: number; readonly id: number };

/** About what is worst of a node. */
export function questionAbout(node: number, flags: readonly string[]): Question {
  const flag = worstFlag(flags);
  if (flag === "BANNED") return { subject: "ban", node };
  return { subject: "flags", node, ...(flag === undefined ? {} : { flag }) };
}

export function questionTitle(question: Question): string {
  switch (question.subject) {
    case "ban":
      return `Why is node ${question.node} banned?`;
    case "flags": {
      const state = question.flag === undefined ? "as it is" : stateText([question.flag]);
      return `Why is node ${question.node} ${state}?`;
    }
    case "recovery":
      return "Why was there a recovery?";
    case "leader":
      return "Why does this node lead?";
    case "address":
      return `Why is ${question.address} where it is?`;
    case "event":
      return "Why did this happen?";
    default:
      return question satisfies never;
  }
}

/** Of /api/v1/why. `atUs`: the last one up to then. */
export function questionQuery(question: Question, atUs: number | undefined): string {
  const query = new URLSearchParams({ subject: question.subject });
  if ("node" in question) query.set("node", String(question.node));
  if ("flag" in question) query.set("flag", question.flag);
  if (question.subject === "address") query.set("address", question.address);
  if (question.subject === "event") query.set("event", String(question.id));
  else if (atUs !== undefined) query.set("at", isoTime(atUs));
  return String(query);
}

/** `flags 2`, `address 10.0.0.5`, `event 1 4711`, `leader` */
export function questionText(question: Question): string {
  const { subject, ...rest } = question;
  return [subject, ...Object.values(rest)].join(" ");
}

const FLAG = /^[A-Z_]{1,32}$/;
const COUNT = /^\d{1,15}$/;
const ADDRESS_CHARACTERS_MAX = 64;

/** undefined: none of these. */
export function questionOf(text: string): Question | undefined {
  const [subject, first = "", second = "", ...more] = text.split(" ");
  if (more.length > 0) return undefined;
  switch (subject) {
    case "ban":
      return COUNT.test(first) ? { subject, node: Number(first) } : undefined;
    case "flags":
      if (!COUNT.test(first)) return undefined;
      return { subject, node: Number(first), ...(FLAG.test(second) ? { flag: second } : {}) };
    case "recovery":
    case "leader":
      return { subject };
    case "address":
      return first === "" || first.length > ADDRESS_CHARACTERS_MAX
        ? undefined
        : { subject, address: first };
    case "event":
      return COUNT.test(first) && COUNT.test(second)
        ? { subject, node: Number(first), id: Number(second) }
        : undefined;
    default:
      return undefined;
  }
}
