/**
 * The commands of scenario files, as a table: a pattern of words, and what is done. In a pattern
 * PNN is a node, NAME a word, SECONDS a time like 10s, REST the rest of the line.
 *
 * What a command prints must not contain what another harmless version of the product would do
 * otherwise: no times, no generations, no log text.
 */
import {
  DB_FLAGS,
  NODE_FLAGS,
  RECOVERY_ACTIVE,
  RECOVERY_NORMAL,
} from "../../src/wire/constants.ts";
import type { SimNode } from "../sim/node.ts";
import { nodeAddress } from "../sim/node_config.ts";
import { flagsText, unsettled } from "../sim/settled.ts";
import type { Stage } from "./stage.ts";
import { seconds } from "./words.ts";

type Words = Readonly<Record<string, string>>;
type Action = (stage: Stage, words: Words) => readonly string[] | undefined;

export interface Command {
  readonly pattern: string;
  readonly help: string;
  readonly action: Action;
}

const DEFAULT_LIMIT_SEC = 120;

export const COMMANDS: readonly Command[] = [
  // --- the cluster
  {
    pattern: "cluster REST",
    help: "a new cluster: nodes=3 lock=no seed=1 without-lock=2 addresses=0 journals=no and tunables by name",
    action: (stage, { REST }) => stage.newCluster(REST ?? ""),
  },
  {
    pattern: "start",
    help: "starts all nodes",
    action: (stage) => {
      stage.cluster.startAll();
      return undefined;
    },
  },
  {
    pattern: "run SECONDS",
    help: "lets time pass",
    action: (stage, { SECONDS }) => stage.run(seconds(SECONDS)),
  },
  {
    pattern: "until healthy",
    help: "until all running nodes agree about everything; says what is missing after 120 s",
    action: (stage) => untilHealthy(stage, DEFAULT_LIMIT_SEC),
  },
  {
    pattern: "until healthy within SECONDS",
    help: "the same with another limit",
    action: (stage, { SECONDS }) => untilHealthy(stage, seconds(SECONDS)),
  },
  {
    pattern: "until normal within SECONDS",
    help: "until all running nodes are connected, in recovery mode NORMAL and in one generation",
    action: (stage, { SECONDS }) => untilNormal(stage, seconds(SECONDS)),
  },
  {
    pattern: "name NAME ROLE",
    help: "a node by another name: the leader, a follower without a name yet, the holder of the lock",
    action: (stage, { NAME, ROLE }) => stage.nameNode(NAME ?? "", ROLE ?? ""),
  },
  {
    pattern: "status",
    help: "each node: its view of the nodes' flags, recovery mode, leader, and what became of its generation",
    action: (stage) => stage.status(),
  },
  {
    pattern: "bans",
    help: "the nodes that are banned, in their own view",
    action: (stage) => [listed(stage.cluster.nodes.filter((node) => hasFlag(node, "BANNED")))],
  },
  {
    pattern: "lock holder",
    help: "who holds the cluster lock",
    action: ({ cluster }) => {
      const pnn = cluster.lockService?.holder?.pnn;
      return [pnn === undefined ? "nobody" : `node ${pnn}`];
    },
  },
  {
    pattern: "recoveries",
    help: "whether there were recoveries since this was asked last: none, 1 to 3 or many",
    action: (stage) => [stage.recoveriesSince()],
  },

  // --- nodes
  onNode("crash PNN", "kill -9 of all its processes", (node) => node.crash()),
  onNode("restart PNN", "starts its ctdbd", (node) => {
    node.powerOn();
    node.start();
  }),
  {
    pattern: "nodes file PNN REST",
    help: "the lines of its nodes file, by the numbers that the nodes have for the others: 1 0 2",
    action: (stage, { PNN, REST }) => {
      stage.node(PNN).nodesFile = (REST ?? "")
        .split(" ")
        .map((number, pnn) => ({ pnn, address: nodeAddress(Number(number)), deleted: false }));
      return undefined;
    },
  },
  ask("reload nodes PNN", "its ctdbd reads its nodes file", (node) =>
    node.request("RELOAD_NODES_FILE", undefined),
  ),
  {
    pattern: "kept out PNN",
    help: "the nodes that it keeps out because their nodes file is another one",
    action: (stage, { PNN }) => {
      const peers = stage.node(PNN).daemon?.node?.membership.peers;
      const pnns = peers?.problems().filter(({ pnn }) => peers.isKeptOut(pnn)) ?? [];
      return [pnns.length === 0 ? "none" : pnns.map(({ pnn }) => pnn).join(" ")];
    },
  },
  onNode("power off PNN", "the host is gone without a word", (node) => node.powerOff()),
  onNode(
    "disk PNN NAME",
    "its disk is full, fails (whatever is done) or is sound again",
    (node, words) => setDisk(node, words["NAME"]),
  ),
  onNode("pause PNN", "SIGSTOP to all its processes", (node) => node.pause()),
  onNode("resume PNN", "SIGCONT", (node) => node.resume()),
  onNode("pause recoverd PNN", "SIGSTOP to its recovery daemon", (node) =>
    node.recoverdProcess?.pause(),
  ),
  onNode("resume recoverd PNN", "SIGCONT", (node) => node.recoverdProcess?.resume()),
  onNode("pause eventd PNN", "SIGSTOP to its event daemon; the scripts go on", (node) =>
    node.eventdProcess?.pause(),
  ),
  onNode("resume eventd PNN", "SIGCONT", (node) => node.eventdProcess?.resume()),
  onNode("kill recoverd PNN", "kill -9 of its recovery daemon", (node) =>
    node.recoverdProcess?.kill(),
  ),
  ask("shutdown PNN", "ctdb shutdown", (node) => node.request("SHUTDOWN", undefined)),
  ask("stop PNN", "ctdb stop", (node) => node.request("STOP_NODE", undefined)),
  ask("continue PNN", "ctdb continue", (node) => node.request("CONTINUE_NODE", undefined)),
  ask("disable PNN", "ctdb disable", (node) => ableAndRun(node, "DISABLE_NODE")),
  ask("enable PNN", "ctdb enable", (node) => ableAndRun(node, "ENABLE_NODE")),
  ask("ban PNN SECONDS", "ctdb ban", (node, words) =>
    node.request("SET_BAN_STATE", { pnn: node.pnn, time: seconds(words["SECONDS"]) }),
  ),
  ask("unban PNN", "ctdb unban", (node) =>
    node.request("SET_BAN_STATE", { pnn: node.pnn, time: 0 }),
  ),
  ask("leader role PNN NAME", "ctdb setleaderrole on or off", (node, words) =>
    node.request("SET_RECMASTERROLE", words["NAME"] === "on" ? 1 : 0),
  ),
  ask("lmaster role PNN NAME", "ctdb setlmasterrole on or off", (node, words) =>
    node.request("SET_LMASTERROLE", words["NAME"] === "on" ? 1 : 0),
  ),
  ask("recover PNN", "sets its recovery mode ACTIVE, as ctdb recover does", (node) =>
    node.request("SET_RECMODE", RECOVERY_ACTIVE),
  ),

  vacuum(
    "vacuum PNN NAME",
    "a fast run of its vacuum over the database, until it has ended",
    false,
  ),
  vacuum("vacuum PNN NAME full", "a run with a walk over all records", true),
  {
    pattern: "begin vacuum PNN NAME",
    help: "as vacuum, without waiting; end tells how it ended",
    action: (stage, { PNN, NAME }) =>
      stage.begin(PNN, (_client, node) => vacuumOf(node, NAME, false)),
  },

  // --- network and lock
  {
    pattern: "partition REST",
    help: "sides by |, as in: 0 | 1 2",
    action: (stage, { REST }) => partition(stage, REST ?? ""),
  },
  onNode("isolate PNN", "it reaches no other node, and none reaches it", (node, _words, stage) =>
    stage.cluster.isolate(node),
  ),
  {
    pattern: "cut PNN OTHER",
    help: "nothing reaches the second node from the first",
    action: (stage, { PNN, OTHER }) => {
      stage.cluster.network.cut(stage.node(PNN).host, stage.node(OTHER).host);
      return undefined;
    },
  },
  {
    pattern: "slow PNN OTHER SECONDS",
    help: "what the first sends to the second is delayed by up to this",
    action: (stage, { PNN, OTHER, SECONDS }) => {
      const from = stage.node(PNN).host;
      stage.cluster.network.slow(from, stage.node(OTHER).host, seconds(SECONDS) * 1000);
      return undefined;
    },
  },
  {
    pattern: "heal",
    help: "ends all cuts and delays",
    action: (stage) => {
      stage.cluster.network.healAll();
      return undefined;
    },
  },
  {
    pattern: "reset PNN OTHER",
    help: "the connections between two nodes break; they may connect again at once",
    action: (stage, { PNN, OTHER }) => {
      stage.cluster.network.reset(stage.node(PNN).host, stage.node(OTHER).host);
      return undefined;
    },
  },
  {
    pattern: "lmaster role PNN NAME",
    help: "on or off, from the next recovery on",
    action: (stage, { PNN, NAME }) => {
      void stage.node(PNN).request("SET_LMASTERROLE", NAME === "on" ? 1 : 0);
      return undefined;
    },
  },
  {
    pattern: "lose lock",
    help: "the holder of the cluster lock loses it",
    action: (stage) => {
      stage.cluster.lockService?.revoke();
      return undefined;
    },
  },
  {
    pattern: "lock service NAME",
    help: "up or down",
    action: (stage, { NAME }) => {
      const { lockService } = stage.cluster;
      if (lockService !== undefined) lockService.down = NAME === "down";
      if (NAME === "up") lockService?.outOfReachOf.clear();
      return undefined;
    },
  },

  // --- clients
  {
    pattern: "client PNN attach NAME",
    help: "a client of the node attaches to the database",
    action: (stage, { PNN, NAME }) => stage.client(PNN, (client) => client.attach(NAME ?? "")),
  },
  {
    pattern: "client PNN attach NAME FLAG",
    help: "the same, and makes it readonly or sticky on all nodes",
    action: (stage, { PNN, NAME, FLAG }) =>
      stage.client(PNN, (client) => client.attach(NAME ?? "", databaseFlag(FLAG))),
  },
  {
    pattern: "client PNN increment NAME KEY",
    help: "counts a record up under its lock",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.client(PNN, (client) => client.increment(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "client PNN read NAME KEY",
    help: "reads a record under its lock",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.client(PNN, (client) => client.read(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "client PNN look NAME KEY",
    help: "reads a record under its lock, for which a read-only copy is enough",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.client(PNN, (client) => client.look(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "client PNN freeze NAME",
    help: "freezes the database on all nodes, as a tool that writes it anew begins",
    action: (stage, { PNN, NAME }) => stage.client(PNN, (client) => client.freeze(NAME ?? "")),
  },
  {
    pattern: "kill client PNN",
    help: "the client is gone; the next command has another one",
    action: (stage, { PNN }) => stage.client(PNN, (client) => client.kill()),
  },
  {
    pattern: "client PNN delete NAME KEY",
    help: "deletes a record under its lock",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.client(PNN, (client) => client.remove(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "begin client PNN transact NAME KEY",
    help: "counts a record of a persistent database up in a transaction, without waiting",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.begin(PNN, (client) => client.transact(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "begin client PNN increment NAME KEY",
    help: "as increment, without waiting; end tells how it ended",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.begin(PNN, (client) => client.increment(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "begin client PNN look NAME KEY",
    help: "as look, without waiting",
    action: (stage, { PNN, NAME, KEY }) =>
      stage.begin(PNN, (client) => client.look(NAME ?? "", KEY ?? "")),
  },
  {
    pattern: "begin client PNN hold NAME KEY SECONDS",
    help: "locks a record and sits on the lock",
    action: (stage, { PNN, NAME, KEY, SECONDS }) =>
      stage.begin(PNN, (client) => client.hold(NAME ?? "", KEY ?? "", seconds(SECONDS) * 1000)),
  },
  {
    pattern: "end client PNN",
    help: "waits for what was begun",
    action: (stage, { PNN }) => stage.end(PNN),
  },
  {
    pattern: "pending client PNN",
    help: "whether what was begun has ended yet, without waiting",
    action: (stage, { PNN }) => [stage.isPending(PNN) ? "waits" : "ended"],
  },
  {
    pattern: "records NAME KEY",
    help: "the copy of each node: data master, RSN, value of the counter",
    action: (stage, { NAME, KEY }) => stage.records(NAME ?? "", KEY ?? ""),
  },
];

function databaseFlag(word: string | undefined): number {
  if (word === "readonly") return DB_FLAGS.READONLY;
  if (word === "sticky") return DB_FLAGS.STICKY;
  throw new Error(`expected readonly or sticky, got "${word}"`);
}

function setDisk({ disk }: SimNode, state: string | undefined): void {
  if (state === "sound") disk.trouble.end();
  else if (state === "full") disk.trouble.begin({ below: "/", roomBytes: 0, failChance: 0 });
  else if (state === "fails") disk.trouble.begin({ below: "/", roomBytes: 0, failChance: 1 });
  else throw new Error(`expected full, fails or sound, got "${state}"`);
}

function onNode(
  pattern: string,
  help: string,
  act: (node: SimNode, words: Words, stage: Stage) => void,
): Command {
  return {
    pattern,
    help,
    action: (stage, words) => {
      act(stage.node(words["PNN"]), words, stage);
      return undefined;
    },
  };
}

function vacuum(pattern: string, help: string, full: boolean): Command {
  return {
    pattern,
    help,
    action: (stage, { PNN, NAME }) => {
      const text = stage.finish(vacuumOf(stage.node(PNN), NAME, full));
      return [text ?? "no answer"];
    },
  };
}

async function vacuumOf(node: SimNode, name: string | undefined, full: boolean): Promise<string> {
  const dbId = node.databases?.databaseByName(name ?? "")?.dbId;
  if (dbId === undefined) return "no such database";
  const status = await node.request("DB_VACUUM", { db_id: dbId, full_vacuum_run: full });
  return status === 0 ? "done" : "refused or cut short";
}

/** A request of the tool, until it is answered. */
function ask(
  pattern: string,
  help: string,
  request: (node: SimNode, words: Words) => Promise<number | undefined>,
): Command {
  return {
    pattern,
    help,
    action: (stage, words) => {
      const asked = request(stage.node(words["PNN"]), words);
      const status = stage.finish(asked);
      return status === undefined ? ["failed"] : undefined;
    },
  };
}

/** The tool asks for a takeover run afterwards. */
async function ableAndRun(
  node: SimNode,
  control: "DISABLE_NODE" | "ENABLE_NODE",
): Promise<number | undefined> {
  const status = await node.request(control, undefined);
  void node.askForTakeoverRun();
  return status;
}

function partition(stage: Stage, text: string): undefined {
  const sides = text.split("|").map((side) =>
    side
      .trim()
      .split(/ +/)
      .map((pnn) => stage.node(pnn)),
  );
  for (const [at, side] of sides.entries()) {
    for (const others of sides.filter((_, i) => i !== at)) {
      for (const from of side) {
        for (const to of others) stage.cluster.network.cut(from.host, to.host);
      }
    }
  }
  return undefined;
}

function untilHealthy(stage: Stage, limitSec: number): readonly string[] {
  const running = () => stage.cluster.nodes.filter((node) => node.running);
  const problems = () => unsettled(running()).filter((text) => !aboutMissingNode(stage, text));
  const reached = stage.until(() => problems().length === 0, limitSec);
  return reached ? ["healthy"] : problems();
}

/** Nodes that do not run are seen as disconnected by the others: that is as it should be. */
function aboutMissingNode(stage: Stage, problem: string): boolean {
  return stage.cluster.nodes.some(
    ({ pnn, running }) => !running && problem.includes(`sees node ${pnn} DISCONNECTED`),
  );
}

function untilNormal(stage: Stage, limitSec: number): readonly string[] {
  const reached = stage.until(() => {
    const nodes = stage.cluster.nodes.flatMap(({ daemon }) => daemon?.node ?? []);
    const generation = nodes[0]?.vnnMap.generation;
    return nodes.every(
      (node) =>
        node.vnnMap.valid &&
        node.vnnMap.generation === generation &&
        node.state.recoveryMode === RECOVERY_NORMAL &&
        node.nodes.connectedNodes().length === nodes.length,
    );
  }, limitSec);
  return [reached ? "normal" : "not normal"];
}

function hasFlag(node: SimNode, name: keyof typeof NODE_FLAGS): boolean {
  return ((node.daemon?.node?.nodes.own.flags ?? 0) & NODE_FLAGS[name]) !== 0;
}

function listed(nodes: readonly SimNode[]): string {
  if (nodes.length === 0) return "none";
  return nodes
    .map(({ pnn, daemon }) => `node ${pnn} ${flagsText(daemon?.node?.nodes.own.flags ?? 0)}`)
    .join(", ");
}
