/**
 * Compares the takeover helper with the original: generated situations, each given twice to Samba's `fake_ctdbd`,
 * with Samba's helper and with ours. Status, every line about what was decided and done, and the placement
 * afterwards as each node knows it must be the same. NoIPFailback and nodes to rebalance can be compared only so.
 *
 *   bun run test/failover/compare_helpers.ts PROGRAMS HELPER [--seeds COUNT] [--first SEED]
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connectClient } from "../../src/client/ctdb_client.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { LoopNetwork } from "../../src/platform/loop/network.ts";
import { NODE_FLAGS, NODE_FLAGS_INACTIVE } from "../../src/wire/constants.ts";
import { runCommand } from "../support/command.ts";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";
import { firstDifference } from "./first_difference.ts";
import { type Situation, situationOf, situationText } from "./situations.ts";

const USAGE = `bun run test/failover/compare_helpers.ts PROGRAMS HELPER [--seeds COUNT] [--first SEED]

PROGRAMS  a folder with Samba's fake_ctdbd and ctdb_takeover_helper
HELPER    our ctdb_takeover_helper
--seeds   how many situations (default 100)
--first   the first seed (default 1)`;
const ALGORITHMS = { det: 0, nondet: 1, lcp2: 2 };
const DIFFERENT_SHOWN_MAX = 5;
const LEADER = 0;

const { programs, helper, seeds, first } = parsedOptions(USAGE, () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: "string", default: "100" },
      first: { type: "string", default: "1" },
    },
  });
  const [folder, ours] = positionals;
  if (folder === undefined || ours === undefined) throw new Error("expected two paths");
  return {
    programs: folder,
    helper: ours,
    seeds: wholeNumber(USAGE, "seeds", values.seeds),
    first: wholeNumber(USAGE, "first", values.first),
  };
});

const loop = new EventLoop();
const network = new LoopNetwork(loop);

/** The first node asks, so it is connected; it knows every address, because fake_ctdbd wants it to know one. */
function usable(situation: Situation): Situation {
  return {
    ...situation,
    flags: situation.flags.map((flags, pnn) =>
      pnn === LEADER ? flags & NODE_FLAGS.UNHEALTHY : flags,
    ),
    addresses: situation.addresses.map((entry) => ({
      ...entry,
      knownOn: entry.knownOn === undefined ? undefined : [...new Set([LEADER, ...entry.knownOn])],
    })),
  };
}

function fakeInput(situation: Situation): string {
  const nodes = situation.flags.map((flags, pnn) => {
    const marks = pnn === LEADER ? "\tCURRENT\tRECMASTER" : "";
    return `${pnn}\t192.168.20.${pnn + 1}\t0x${flags.toString(16)}${marks}\n`;
  });
  const interfaces = ":Name:LinkStatus:References:\n:eth1:1:4:\n";
  const addresses = situationText(situation);
  return `NODEMAP\n${nodes.join("")}\nIFACES\n${interfaces}\nPUBLICIPS\n${addresses}\n`;
}

async function inFakeCluster(
  situation: Situation,
  folder: string,
  program: string,
): Promise<string> {
  mkdirSync(`${folder}/db`, { recursive: true });
  if (situation.homeNodes !== undefined) writeFileSync(`${folder}/home_nodes`, situation.homeNodes);
  const [socket, pidFile] = [`${folder}/socket`, `${folder}/pid`];
  const fake = [`${programs}/fake_ctdbd`, "-d", "ERR", "-s", socket, "-p", pidFile];
  const started = Bun.spawn([...fake, "-D", `${folder}/db`], {
    stdin: new TextEncoder().encode(fakeInput(situation)),
    stdout: "ignore",
    stderr: "ignore",
  });
  if ((await started.exited) !== 0) throw new Error(`fake_ctdbd failed in ${folder}`);
  const pid = Number(readFileSync(pidFile, "latin1"));
  try {
    return await runHelper(situation, folder, socket, program);
  } finally {
    process.kill(pid, "SIGKILL");
  }
}

async function runHelper(
  situation: Situation,
  folder: string,
  socket: string,
  program: string,
): Promise<string> {
  const connected = await connectClient(network, loop, socket);
  if (!connected.ok) throw new Error(connected.error.reason);
  const client = connected.value;
  const tunables = {
    IPAllocAlgorithm: ALGORITHMS[situation.algorithm],
    NoIPFailback: Number(situation.noFailback),
    NoIPTakeover: Number(situation.noTakeover),
  };
  for (const [name, value] of Object.entries(tunables)) {
    const set = await client.control("SET_TUNABLE", { name, value }, { pnn: LEADER });
    if (!set.ok) throw new Error(`${name}: ${set.error.reason}`);
  }
  const rebalance = situation.rebalance.length === 0 ? [] : [situation.rebalance.join(",")];
  const { code, stderr } = await runCommand([program, "1", socket, ...rebalance], {
    env: {
      CTDB_TEST_MODE: "yes",
      CTDB_BASE: folder,
      CTDB_LOGGING: "file:",
      CTDB_DEBUGLEVEL: "INFO",
    },
  });
  const active = situation.flags.flatMap((flags, pnn) =>
    (flags & NODE_FLAGS_INACTIVE) === 0 ? [pnn] : [],
  );
  const lists = await client.controlEach("GET_PUBLIC_IPS", undefined, active);
  client.close();
  const placements = [...lists].map(([pnn, outcome]) => {
    if (!outcome.ok) throw new Error(outcome.error.reason);
    const places = outcome.value.data.map((entry) => `${entry.addr.address}=${entry.pnn | 0}`);
    return `node ${pnn}: ${places.join(" ")}\n`;
  });
  return `${comparable(stderr)}status ${code}\n${placements.join("")}`;
}

/**
 * Answers come in any order. Where in its source the original stands, and what each of us says of a home
 * node that does not exist, is our own.
 */
function comparable(log: string): string {
  const lines = log
    .replace(/^ctdb-takeover\[[0-9]+\]: /gm, "")
    .replace(/^\S*\.c:[0-9]+ ?/gm, "")
    .split("\n")
    .filter((line) => line !== "" && !/too large/.test(line));
  const isAnswer = (line: string) => /^(Fetched|RELEASE_IP|TAKEOVER_IP)/.test(line);
  const answers = lines.filter(isAnswer).sort();
  return [...lines.filter((line) => !isAnswer(line)), ...answers, ""].join("\n");
}

const counts = { noFailback: 0, rebalance: 0 };
let different = 0;
await withTemporaryDirectory(async (directory) => {
  for (let seed = first; seed < first + seeds; seed++) {
    const situation = usable(situationOf(seed));
    counts.noFailback += Number(situation.noFailback);
    counts.rebalance += Number(situation.rebalance.length > 0);
    const theirProgram = `${programs}/ctdb_takeover_helper`;
    const theirs = await inFakeCluster(situation, `${directory}/${seed}t`, theirProgram);
    const ours = await inFakeCluster(situation, `${directory}/${seed}o`, helper);
    if (theirs === ours) continue;
    different += 1;
    if (different > DIFFERENT_SHOWN_MAX) continue;
    console.log(`seed ${seed}: ${JSON.stringify({ ...situation, addresses: undefined })}`);
    console.log(`${situationText(situation)}${firstDifference(theirs, ours)}`);
  }
});
console.log(
  `${seeds} situations (NoIPFailback in ${counts.noFailback}, nodes to rebalance in ${counts.rebalance}), ${different} different`,
);
process.exit(different === 0 ? 0 : 1);
