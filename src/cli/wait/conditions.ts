/** The conditions of `ctdb wait`: how they are written, when they hold, and what tells that they may have changed. */
import type { U64 } from "../../base/u64.ts";
import { NODE_FLAGS, RUNSTATES, SRVID } from "../../wire/constants.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import { CommandFailure, WrongArguments } from "../failure.ts";
import { FLAG_UNKNOWN, FLAG_WORDS, flagNames } from "../node_flags.ts";
import { parseDecimal32 } from "../numbers.ts";
import type { Look } from "./look.ts";

export interface Condition {
  readonly text: string;
  /** Messages of the cluster after which it is looked at again; the leader's broadcasts count for all. */
  readonly events: readonly U64[];
  /** Nothing tells of some of its changes: they are looked for. */
  readonly isPolled: boolean;
  /** What keeps it from holding; undefined when it holds. */
  check(look: Look): Promise<string | undefined>;
}

const FLAGS_CHANGE = [SRVID.SET_NODE_FLAGS, SRVID.RECONFIGURE];

/** The words of node states, and what they mean. */
const STATES: ReadonlyMap<string, (flags: number) => boolean> = new Map([
  ["ok", (flags: number) => flags === 0],
  ["connected", (flags: number) => (flags & NODE_FLAGS.DISCONNECTED) === 0],
  ...FLAG_WORDS.filter(([, mask]) => mask !== FLAG_UNKNOWN).map(
    ([word, mask]) => [word.toLowerCase(), (flags: number) => (flags & mask) !== 0] as const,
  ),
]);
/** A node that breaks down sends no message about that. */
const STATES_WITHOUT_EVENTS = ["connected", "disconnected", "inactive", "deleted"];

const CONDITIONS: Readonly<Record<string, Condition>> = {
  healthy: {
    text: "healthy",
    events: FLAGS_CHANGE,
    isPolled: true,
    async check(look) {
      const nodes = await look.nodes();
      if (!nodes.ok) return nodes.error;
      const problems = nodes.value.filter(({ flags }) => flags !== 0).map(nodeState);
      if (problems.length > 0) return problems.join(", ");
      return (await whyNotRunning(look)) ?? (await look.whyNotRecovered(nodes.value));
    },
  },
  recovered: {
    text: "recovered",
    events: FLAGS_CHANGE,
    isPolled: false,
    async check(look) {
      const nodes = await look.nodes();
      return nodes.ok ? await look.whyNotRecovered(nodes.value) : nodes.error;
    },
  },
  leader: {
    text: "leader",
    events: [],
    isPolled: false,
    async check(look) {
      const nodes = await look.nodes();
      if (!nodes.ok) return nodes.error;
      return look.seen.leader === null ? "no node has said that it leads" : undefined;
    },
  },
  "ips assigned": {
    text: "ips assigned",
    events: [],
    isPolled: true,
    async check(look) {
      const nodes = await look.nodes();
      return nodes.ok ? await look.whyNotAssigned(nodes.value) : nodes.error;
    },
  },
};

export function parseCondition(args: readonly string[]): Condition {
  if (args.length === 0) throw new WrongArguments();
  const text = args.join(" ");
  const known = Object.hasOwn(CONDITIONS, text) ? CONDITIONS[text] : undefined;
  if (known !== undefined) return known;
  const [first, number, state] = args;
  if (first !== "node" || number === undefined || state === undefined || args.length > 3) {
    const names = [...Object.keys(CONDITIONS), "node PNN STATE"].join(", ");
    throw new CommandFailure(1, `Unknown condition "${text}", expected one of: ${names}`, "usage");
  }
  return nodeCondition(text, number, state);
}

function nodeCondition(text: string, number: string, word: string): Condition {
  const pnn = parseDecimal32(number);
  if (pnn === undefined) throw new CommandFailure(1, `Invalid PNN ${number}`, "usage");
  const isSo = STATES.get(word.toLowerCase());
  if (isSo === undefined) {
    const words = [...STATES.keys()].join(", ");
    const message = `Unknown state of a node "${word}", expected one of: ${words}`;
    throw new CommandFailure(1, message, "usage");
  }
  return {
    text,
    events: FLAGS_CHANGE,
    isPolled: STATES_WITHOUT_EVENTS.includes(word.toLowerCase()),
    async check(look) {
      const nodes = await look.nodes();
      if (!nodes.ok) return nodes.error;
      const node = nodes.value.find((each) => each.pnn === pnn);
      if (node === undefined) {
        return word.toLowerCase() === "deleted" ? undefined : `node ${pnn} does not exist`;
      }
      const { flags } = node;
      if ((flags & FLAG_UNKNOWN) !== 0 || !isSo(flags)) return nodeState(node);
      return word.toLowerCase() === "ok" && pnn === look.pnn
        ? await whyNotRunning(look)
        : undefined;
    },
  };
}

function nodeState({ pnn, flags }: NodeAndFlags): string {
  return `node ${pnn} is ${flagNames(flags)}`;
}

async function whyNotRunning(look: Look): Promise<string | undefined> {
  const runstate = await look.ask("GET_RUNSTATE", undefined);
  if (!runstate.ok) return runstate.error;
  const state = RUNSTATES[runstate.value.data] ?? "UNKNOWN";
  return state === "RUNNING" ? undefined : `node ${look.pnn} is in run state ${state}`;
}
