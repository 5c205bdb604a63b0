/** What a command line of ss asks for. */
import { type SocketState, TCP_STATES } from "./kernel_sockets.ts";
import { parseFilter, type Selects } from "./socket_filter.ts";

export interface SsRequest {
  readonly tcp: boolean;
  readonly unix: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly header: boolean;
  readonly states: ReadonlySet<SocketState>;
  readonly selects: Selects;
}

const LONG_NAMES = new Map([
  ["tcp", "t"],
  ["unix", "x"],
  ["ipv4", "4"],
  ["ipv6", "6"],
  ["listening", "l"],
  ["all", "a"],
  ["numeric", "n"],
  ["no-header", "H"],
  ["kill", "K"],
  ["help", "h"],
]);
const LETTERS = new Set(LONG_NAMES.values());

/** Beyond these: all. */
const NOT_CONNECTED = new Set<SocketState>(["listening", "closed", "time-wait", "syn-recv"]);
const without = (states: ReadonlySet<SocketState>) =>
  new Set(TCP_STATES.filter((state) => !states.has(state)));
const GROUPS = new Map<string, ReadonlySet<SocketState>>([
  ...TCP_STATES.map((state) => [state, new Set([state])] as const),
  ["listen", new Set(["listening"] as const)],
  ["all", new Set(TCP_STATES)],
  ["connected", without(new Set(["listening", "closed"]))],
  ["synchronized", without(new Set(["listening", "closed", "syn-sent"]))],
]);

/** A sentence when it asks for nothing that can be done. */
export function parseSs(args: readonly string[]): SsRequest | "help" | string {
  const letters = new Set<string>();
  const states: Set<SocketState> = new Set();
  const filter: string[] = [];
  let excludes = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (/^-./.test(word)) {
      const wrong = addOptions(letters, word);
      if (wrong !== undefined) return wrong;
    } else if (word === "state" || word === "exclude") {
      const name = args[++at] ?? "";
      const group = GROUPS.get(name);
      if (group === undefined) {
        return `expected one of ${[...GROUPS.keys()].join(", ")} after "${word}", got "${name}"`;
      }
      if (word === "exclude" && states.size === 0) addAll(states, new Set(TCP_STATES));
      excludes = word === "exclude";
      for (const state of group) excludes ? states.delete(state) : states.add(state);
    } else filter.push(word);
  }
  if (letters.has("h")) return "help";
  if (letters.has("K")) return "-K (--kill) needs iproute2's own program, which is not installed";
  const selects = parseFilter(filter);
  if (!selects.ok) return selects.error;
  const both = !letters.has("t") && !letters.has("x");
  return {
    tcp: both || letters.has("t"),
    unix: both || letters.has("x"),
    ipv4: letters.has("4") || !letters.has("6"),
    ipv6: letters.has("6") || !letters.has("4"),
    header: !letters.has("H"),
    states: states.size > 0 || excludes ? states : statesOf(letters),
    selects: selects.value,
  };
}

function addAll(states: Set<SocketState>, more: ReadonlySet<SocketState>): void {
  for (const state of more) states.add(state);
}

function statesOf(letters: ReadonlySet<string>): ReadonlySet<SocketState> {
  if (letters.has("a")) return new Set(TCP_STATES);
  // Two, as the original has it: the state is shown then.
  return letters.has("l") ? new Set(["listening", "closed"]) : without(NOT_CONNECTED);
}

function addOptions(letters: Set<string>, word: string): string | undefined {
  const long = word.startsWith("--");
  const given = long ? [LONG_NAMES.get(word.slice(2)) ?? ""] : [...word.slice(1)];
  for (const letter of given) {
    if (!LETTERS.has(letter)) {
      const name = long ? word : `-${letter}`;
      return `"${name}" needs iproute2's own program; expected ${[...LETTERS].map((one) => `-${one}`).join(", ")}`;
    }
    letters.add(letter);
  }
  return undefined;
}
