/**
 * The program that Samba's own tests of the allocation call: node states as an argument, the situation from
 * standard input, what was decided to standard error and the new placement to standard output. Arguments,
 * variables and formats are those of the original of that name, so that both can be compared line by line.
 *
 *   takeover_tests ipalloc FLAGS,FLAGS… [multi] < SITUATION
 *
 * FLAGS are a node's flags. A line of the situation is `ADDRESS PNN [PNN,PNN…]`: who hosts it, and who knows it
 * (all, when left out). With `multi` each node's own list follows on the other, with an empty line between.
 */
import { readFileSync } from "node:fs";
import { LOG_LEVELS, type Logger, parseLogLevel } from "../../src/base/log.ts";
import { resolvePaths } from "../../src/config/paths.ts";
import type { HostedAddress } from "../../src/failover/allocation/addresses.ts";
import { type AllocationAlgorithm, allocate } from "../../src/failover/allocation/allocate.ts";
import { type HomeNode, parseHomeNodes } from "../../src/failover/allocation/home_nodes.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE, RUNSTATES } from "../../src/wire/constants.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";

const ALGORITHMS: Readonly<Record<string, AllocationAlgorithm>> = {
  lcp2: "lcp2",
  nondet: "non-deterministic",
  det: "deterministic",
};
const NO_HOST = NODE_FLAGS_INACTIVE | NODE_FLAGS.UNHEALTHY | NODE_FLAGS.PERMANENTLY_DISABLED;
const environment = process.env;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** As strtol() with base 0: 0x and 0 prefixes, and 0 for what is no number. */
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

/** Everything goes to standard error before the placement, whose output is buffered in the original, too. */
function newLog(): Logger & { readonly threshold: number } {
  const threshold = LOG_LEVELS[parseLogLevel(environment["CTDB_TEST_LOGLEVEL"] ?? "") ?? "DEBUG"];
  const at = (level: number) => (message: string) => {
    if (level <= threshold) process.stderr.write(`${message}\n`);
  };
  return {
    threshold,
    error: at(LOG_LEVELS.ERROR),
    warning: at(LOG_LEVELS.WARNING),
    notice: at(LOG_LEVELS.NOTICE),
    info: at(LOG_LEVELS.INFO),
    debug: at(LOG_LEVELS.DEBUG),
  };
}

const log = newLog();

function readKnown(nodeCount: number, multi: boolean): HostedAddress[][] {
  const known: HostedAddress[][] = Array.from({ length: nodeCount }, () => []);
  const lines = readFileSync(0, "latin1").split("\n");
  if (lines.at(-1) === "") lines.pop();
  const rounds = multi ? nodeCount : 1;
  for (let node = 0; node < rounds; node++) {
    for (let line = lines.shift(); line !== undefined && line !== ""; line = lines.shift()) {
      readLine(line, multi ? known[node] : undefined, known);
    }
  }
  return known;
}

/** `own`: the list of the one node that says it. */
function readLine(line: string, own: HostedAddress[] | undefined, known: HostedAddress[][]): void {
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
  if (own !== undefined) {
    if (allowed !== undefined) fail("ERROR, bad token");
    own.push(entry);
    return;
  }
  const nodes = allowed === undefined ? known : words(allowed, /,/).map((n) => known[cNumber(n)]);
  for (const list of nodes) list?.push(entry);
}

function runningNodes(nodeCount: number): readonly boolean[] {
  const text = environment["CTDB_TEST_RUNSTATE"];
  if (text === undefined) return new Array<boolean>(nodeCount).fill(true);
  const running = RUNSTATES.indexOf("RUNNING");
  if (text === "1") return new Array<boolean>(nodeCount).fill(running === 1);
  const states = words(text, /,/);
  if (states.length !== nodeCount) fail("ERROR: Wrong number of values in CTDB_TEST_RUNSTATE");
  return states.map((state) => cNumber(state) === running);
}

function readHomeNodes(): readonly HomeNode[] {
  const paths = resolvePaths(environment, "/usr/bin");
  if (!paths.ok) return [];
  let text: string;
  try {
    text = readFileSync(`${paths.value.etcDirectory}/home_nodes`, "latin1");
  } catch {
    return [];
  }
  const homes = parseHomeNodes(text);
  if (homes.ok) return homes.value;
  log.warning(`home_nodes: ${homes.error}`);
  return [];
}

function ipalloc(states: string, multi: boolean): void {
  const flags = words(states, /,/).map(cNumber);
  const algorithm = ALGORITHMS[environment["CTDB_IP_ALGORITHM"] ?? "lcp2"];
  if (algorithm === undefined) {
    fail(`ERROR: unknown IP algorithm ${environment["CTDB_IP_ALGORITHM"]}`);
  }
  const known = readKnown(flags.length, multi);
  const running = runningNodes(flags.length);
  const available = known.map((list, pnn) => {
    const canHost = running[pnn] === true && ((flags[pnn] as number) & NO_HOST) === 0;
    return canHost ? list : [];
  });
  const placed = allocate({
    nodeCount: flags.length,
    log,
    logsDetails: log.threshold >= LOG_LEVELS.DEBUG,
    algorithm,
    noTakeover: cNumber(environment["CTDB_SET_NoIPTakeover"] ?? "0") !== 0,
    noFailback: false,
    rebalance: [],
    homeNodes: algorithm === "deterministic" ? readHomeNodes() : [],
    known: new Map(known.entries()),
    available: new Map(available.entries()),
  });
  if (!placed.ok) fail(placed.error);
  const lines = placed.value.map(({ addr, pnn }) => `${addr.address} ${pnn | 0}\n`);
  process.stdout.write(lines.join(""));
}

const [operation, states, mode, ...surplus] = process.argv.slice(2);
const isUsage =
  operation !== "ipalloc" ||
  states === undefined ||
  surplus.length > 0 ||
  (mode !== undefined && mode !== "multi");
if (isUsage) fail("usage: ctdb_takeover_tests <op>");
else ipalloc(states, mode === "multi");
