/**
 * What `ctdb_takeover_tests` does, the program that Samba's own tests of the allocation call: node states as an
 * argument, the situation from standard input, what was decided to standard error and the new placement to
 * standard output. Arguments, variables and formats are those of the original, so that both can be compared line
 * by line.
 *
 *   ctdb_takeover_tests ipalloc FLAGS,FLAGS… [multi] < SITUATION
 *
 * FLAGS are a node's flags. A line of the situation is `ADDRESS PNN [PNN,PNN…]`: who hosts it, and who knows it
 * (all, when left out). With `multi` each node's own list follows on the other, with an empty line between.
 */
import { LOG_LEVELS, type Logger, parseLogLevel } from "../../src/base/log.ts";
import type { HostedAddress } from "../../src/failover/allocation/addresses.ts";
import { type AllocationAlgorithm, allocate } from "../../src/failover/allocation/allocate.ts";
import { type HomeNode, parseHomeNodes } from "../../src/failover/allocation/home_nodes.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE, RUNSTATES } from "../../src/wire/constants.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";

export interface ProgramInput {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Standard input. */
  readonly text: string;
  /** The file home_nodes; undefined when there is none. */
  readonly homeNodes: string | undefined;
}

export interface ProgramOutput {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ALGORITHMS: Readonly<Record<string, AllocationAlgorithm>> = {
  lcp2: "lcp2",
  nondet: "non-deterministic",
  det: "deterministic",
};
const CANNOT_HOST = NODE_FLAGS_INACTIVE | NODE_FLAGS.UNHEALTHY | NODE_FLAGS.PERMANENTLY_DISABLED;

class UsageError extends Error {}

export function runTakeoverProgram(input: ProgramInput): ProgramOutput {
  const lines: string[] = [];
  try {
    const stdout = runOperation(input, lines);
    return { status: 0, stdout, stderr: lines.join("") };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { status: 1, stdout: "", stderr: `${lines.join("")}${error.message}\n` };
  }
}

function runOperation(input: ProgramInput, lines: string[]): string {
  const [operation, states, mode, ...surplus] = input.args;
  const isRight =
    operation === "ipalloc" && surplus.length === 0 && (mode === undefined || mode === "multi");
  if (!isRight || states === undefined) throw new UsageError("usage: ctdb_takeover_tests <op>");
  const level = parseLogLevel(input.environment["CTDB_TEST_LOGLEVEL"] ?? "") ?? "DEBUG";
  return ipalloc(input, collectingLog(LOG_LEVELS[level], lines), {
    flags: words(states, /,/).map(cNumber),
    isMulti: mode === "multi",
    logsDetails: level === "DEBUG",
  });
}

function collectingLog(threshold: number, lines: string[]): Logger {
  const at = (level: number) => (message: string) => {
    if (level <= threshold) lines.push(`${message}\n`);
  };
  return {
    error: at(LOG_LEVELS.ERROR),
    warning: at(LOG_LEVELS.WARNING),
    notice: at(LOG_LEVELS.NOTICE),
    info: at(LOG_LEVELS.INFO),
    debug: at(LOG_LEVELS.DEBUG),
  };
}

interface Operation {
  readonly flags: readonly number[];
  readonly isMulti: boolean;
  readonly logsDetails: boolean;
}

function ipalloc(input: ProgramInput, log: Logger, operation: Operation): string {
  const { environment } = input;
  const { flags, isMulti, logsDetails } = operation;
  const algorithm = ALGORITHMS[environment["CTDB_IP_ALGORITHM"] ?? "lcp2"];
  if (algorithm === undefined) {
    throw new UsageError(`ERROR: unknown IP algorithm ${environment["CTDB_IP_ALGORITHM"]}`);
  }
  const known = readKnown(input.text, flags.length, isMulti, log);
  const running = runningNodes(environment["CTDB_TEST_RUNSTATE"], flags.length);
  const available = known.map((list, pnn) => {
    const canHost = running[pnn] === true && ((flags[pnn] as number) & CANNOT_HOST) === 0;
    return canHost ? list : [];
  });
  const placed = allocate({
    nodeCount: flags.length,
    log,
    logsDetails,
    algorithm,
    noTakeover: cNumber(environment["CTDB_SET_NoIPTakeover"] ?? "0") !== 0,
    noFailback: false,
    rebalance: [],
    homeNodes: algorithm === "deterministic" ? homesOf(input.homeNodes, log) : [],
    known: new Map(known.entries()),
    available: new Map(available.entries()),
  });
  if (!placed.ok) throw new UsageError(placed.error);
  return placed.value.map(({ addr, pnn }) => `${addr.address} ${pnn | 0}\n`).join("");
}

function readKnown(
  text: string,
  nodeCount: number,
  isMulti: boolean,
  log: Logger,
): HostedAddress[][] {
  const known: HostedAddress[][] = Array.from({ length: nodeCount }, () => []);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const lists = isMulti ? known.map((own) => [own]) : [known];
  for (const owners of lists) {
    for (let line = lines.shift(); line !== undefined && line !== ""; line = lines.shift()) {
      readLine(line, isMulti, owners, log);
    }
  }
  return known;
}

/** `lists`: of all nodes, or of the one that says it. */
function readLine(line: string, isMulti: boolean, lists: HostedAddress[][], log: Logger): void {
  const [address, pnnText, ...rest] = words(line, /[ \t]+/);
  if (address === undefined) {
    log.warning(`WARNING, bad line ignored :${line}`);
    return;
  }
  const addr = parseAddress(address);
  if (!addr.ok) {
    log.error(`ERROR, bad address :${address}`);
    return;
  }
  const entry = { addr: addr.value, pnn: Number.parseInt(pnnText ?? "-1", 10) || 0 };
  const [allowed] = words(rest.join(" "), /[ \t#]+/);
  if (isMulti && allowed !== undefined) throw new UsageError("ERROR, bad token");
  const owners =
    allowed === undefined ? lists : words(allowed, /,/).map((pnn) => lists[cNumber(pnn)]);
  for (const list of owners) list?.push(entry);
}

function runningNodes(text: string | undefined, nodeCount: number): readonly boolean[] {
  if (text === undefined) return new Array<boolean>(nodeCount).fill(true);
  const running = RUNSTATES.indexOf("RUNNING");
  if (text === "1") return new Array<boolean>(nodeCount).fill(running === 1);
  const states = words(text, /,/);
  if (states.length !== nodeCount) {
    throw new UsageError("ERROR: Wrong number of values in CTDB_TEST_RUNSTATE");
  }
  return states.map((state) => cNumber(state) === running);
}

function homesOf(text: string | undefined, log: Logger): readonly HomeNode[] {
  if (text === undefined) return [];
  const homes = parseHomeNodes(text);
  if (homes.ok) return homes.value;
  log.warning(`home_nodes: ${homes.error}`);
  return [];
}

/** As strtol() with base 0: 0x and 0 in front, and 0 for what is no number. */
function cNumber(text: string): number {
  const match = /^\s*([+-]?)(0x[0-9a-f]+|[0-9]+)/i.exec(text);
  if (match === null) return 0;
  const digits = match[2] as string;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return match[1] === "-" ? -value : value;
}

function words(text: string, separators: RegExp): string[] {
  return text.split(separators).filter((word) => word !== "");
}
