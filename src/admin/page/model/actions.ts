/**
 * What may be done from the page where `actions` are on: a table. Each says beforehand what will follow, and is asked for once more.
 */
import type { ClusterDocument } from "./documents.ts";

export type ActionName =
  | "disable"
  | "enable"
  | "stop"
  | "continue"
  | "ban"
  | "unban"
  | "recover"
  | "moveip"
  | "reload"
  | "setvar";

/** Where it stands: with a node, with an address, or with the cluster. */
export type ActionPlace = "node" | "address" | "cluster";

export interface ActionField {
  readonly name: string;
  readonly label: string;
  readonly kind: "count" | "node" | "text";
  readonly initial: string;
}

export interface Action {
  readonly name: ActionName;
  readonly place: ActionPlace;
  readonly label: string;
  /** What follows, in words; `what` is the node or address that is meant. */
  readonly consequence: (what: string) => string;
  readonly fields: readonly ActionField[];
  /** Whether it would change anything, for a node with these flags. */
  readonly makesSense: (flags: readonly string[]) => boolean;
  readonly drastic: boolean;
}

const always = () => true;
const has = (flag: string) => (flags: readonly string[]) => flags.includes(flag);
const hasNot = (flag: string) => (flags: readonly string[]) => !flags.includes(flag);

export const ACTIONS: readonly Action[] = [
  {
    name: "disable",
    place: "node",
    label: "Disable",
    consequence: (what) =>
      `${what} gives its public addresses to other nodes and gets none until it is enabled. It stays in the cluster.`,
    fields: [],
    makesSense: hasNot("DISABLED"),
    drastic: false,
  },
  {
    name: "enable",
    place: "node",
    label: "Enable",
    consequence: (what) => `${what} may have public addresses again.`,
    fields: [],
    makesSense: has("DISABLED"),
    drastic: false,
  },
  {
    name: "stop",
    place: "node",
    label: "Stop",
    consequence: (what) =>
      `${what} leaves the cluster: a recovery follows, its addresses go, and its databases are not used until it continues.`,
    fields: [],
    makesSense: hasNot("STOPPED"),
    drastic: true,
  },
  {
    name: "continue",
    place: "node",
    label: "Continue",
    consequence: (what) => `${what} comes back into the cluster; a recovery follows.`,
    fields: [],
    makesSense: has("STOPPED"),
    drastic: false,
  },
  {
    name: "ban",
    place: "node",
    label: "Ban",
    consequence: (what) =>
      `${what} is kept out of the cluster for that long: a recovery follows, its addresses go, and clients on it are cut off.`,
    fields: [{ name: "seconds", label: "Seconds", kind: "count", initial: "300" }],
    makesSense: hasNot("BANNED"),
    drastic: true,
  },
  {
    name: "unban",
    place: "node",
    label: "Lift the ban",
    consequence: (what) => `${what} comes back into the cluster; a recovery follows.`,
    fields: [],
    makesSense: has("BANNED"),
    drastic: false,
  },
  {
    name: "moveip",
    place: "address",
    label: "Move",
    consequence: (what) =>
      `${what} goes to that node. Clients reconnect; the next takeover run may move it again.`,
    fields: [{ name: "node", label: "To node", kind: "node", initial: "" }],
    makesSense: always,
    drastic: false,
  },
  {
    name: "recover",
    place: "cluster",
    label: "Recover",
    consequence: () =>
      "The leader recovers all databases. Clients wait meanwhile, for a second or a few.",
    fields: [],
    makesSense: always,
    drastic: true,
  },
  {
    name: "reload",
    place: "node",
    label: "Reload configuration",
    consequence: (what) =>
      `${what} reads its files again and takes over what can change while it runs.`,
    fields: [],
    makesSense: always,
    drastic: false,
  },
  {
    name: "setvar",
    place: "node",
    label: "Set a tunable",
    consequence: (what) => `${what} uses this value from now on, until it is restarted.`,
    fields: [
      { name: "name", label: "Tunable", kind: "text", initial: "" },
      { name: "value", label: "Value", kind: "count", initial: "" },
    ],
    makesSense: always,
    drastic: false,
  },
];

export function actionsFor(place: ActionPlace, flags: readonly string[] = []): readonly Action[] {
  return ACTIONS.filter((action) => action.place === place && action.makesSense(flags));
}

/** Where an address may go by hand. */
export function targetsOf(cluster: ClusterDocument, address: string): readonly number[] {
  const facts = cluster.addresses.find((each) => each.address === address);
  return facts === undefined ? [] : facts.mayBeOn.filter((node) => node !== facts.node);
}

export type ActionValues = Readonly<Record<string, string | number>>;

/** The body of the request, or what is wrong with a field, in words. */
export function actionBody(
  action: Action,
  typed: Readonly<Record<string, string>>,
): { readonly body: ActionValues } | { readonly problem: string } {
  const body: Record<string, string | number> = {};
  for (const { name, label, kind } of action.fields) {
    const text = (typed[name] ?? "").trim();
    if (kind === "text") {
      if (text === "") return { problem: `${label}: expected a name` };
      body[name] = text;
    } else {
      if (!/^\d{1,10}$/.test(text))
        return { problem: `${label}: expected a number, got "${text}"` };
      body[name] = Number(text);
    }
  }
  return { body };
}
