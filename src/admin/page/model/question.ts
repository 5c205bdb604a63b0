/** What somebody wants explained: as a title, as parameters of /api/v1/why, and as a word of the page's address. */
import { isoTime } from "./time.ts";

export type Question =
  | { readonly subject: "ban" | "flags"; readonly node: number }
  | { readonly subject: "recovery" | "leader" }
  | { readonly subject: "address"; readonly address: string }
  | { readonly subject: "event"; readonly node: number; readonly id: number };

export function questionTitle(question: Question): string {
  switch (question.subject) {
    case "ban":
      return `Why is node ${question.node} banned?`;
    case "flags":
      return `Why is node ${question.node} as it is?`;
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
  if (question.subject === "address") query.set("address", question.address);
  if (question.subject === "event") query.set("event", String(question.id));
  else if (atUs !== undefined) query.set("at", isoTime(atUs));
  return query.toString();
}

/** `flags 2`, `address 10.0.0.5`, `event 1 4711`, `leader` */
export function questionText(question: Question): string {
  const { subject, ...rest } = question;
  return [subject, ...Object.values(rest)].join(" ");
}

const COUNT = /^\d{1,15}$/;
const ADDRESS_CHARACTERS_MAX = 64;

/** undefined: none of these. */
export function questionOf(text: string): Question | undefined {
  const [subject, first = "", second = "", ...more] = text.split(" ");
  if (more.length > 0) return undefined;
  switch (subject) {
    case "ban":
    case "flags":
      return COUNT.test(first) ? { subject, node: Number(first) } : undefined;
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
