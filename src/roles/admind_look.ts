/**
 * One look at the cluster for the API: what `ctdb doctor` asks of all nodes, with its checks as conditions, and what each
 * node knows of the others.
 */

import { microsecondsOf } from "../admin/api/times.ts";
import type { ClusterFacts, Condition, DatabaseLook, NodeLook } from "../admin/cluster/facts.ts";
import { KeptAnswer } from "../admin/kept_answer.ts";
import { NODE_QUESTION_MS_MAX } from "../admin/limits.ts";
import { bytesHex } from "../base/bytes_hex.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TURN_BUCKETS_MS } from "../base/trace.ts";
import { CHECKS } from "../cli/doctor/checks.ts";
import type {
  Facts,
  ClusterFacts as Gathered,
  NodeFacts as Gatherer,
} from "../cli/doctor/facts.ts";
import { gatherFacts } from "../cli/doctor/gather.ts";
import { gatherCluster, gatherSettled, type SettledFacts } from "../cli/doctor/gather_cluster.ts";
import { printable } from "../cli/format.ts";
import type { ToolHost } from "../cli/host.ts";
import { knowledgeOf, problemsIn } from "../cli/node_knowledge.ts";
import { parseCommandLine } from "../cli/options.ts";
import { Session } from "../cli/session.ts";
import { peerFailureText } from "../cli/unhealthy.ts";
import type { CtdbClient } from "../client/types.ts";
import { decodeExact, decodePadded, u32Codec } from "../wire/codec.ts";
import { DB_FLAGS, SRVID } from "../wire/constants.ts";
import { PING_LISTENERS, PING_TURNS } from "../wire/controls.ts";
import type { NodeFacts } from "../wire/node_facts.ts";
import { INVALID_GENERATION, UNKNOWN_PNN } from "../wire/packet.ts";
import { nodeTurns, TURNS_MAGIC } from "../wire/structs/cluster.ts";

/** Files and processes of this machine are looked at so often. */
const MACHINE_MS_OLD = 30_000;
/** What of a node changes when somebody changes it is asked so often: its list of nodes may be what a command prints. */
const SETTLED_MS_OLD = 10_000;
const DATABASES_MAX = 256;

export interface AdmindLookParts {
  readonly host: ToolHost;
  nodeFacts(): Promise<Result<NodeFacts>>;
}

interface Counted {
  readonly atMs: number;
  readonly calls: ReadonlyMap<string, number>;
  readonly migrations: ReadonlyMap<string, number>;
}

export class AdmindLook {
  readonly #d: AdmindLookParts;
  readonly #machine: KeptAnswer<Facts>;
  #machineFacts: Facts | undefined;
  #names = new Map<number, string>();
  /** By node. */
  #settled = new Map<number, KeptAnswer<SettledFacts>>();
  #before: Counted | undefined;
  #session: Session | undefined;

  constructor(parts: AdmindLookParts) {
    this.#d = parts;
    this.#machine = new KeptAnswer(() => this.#gatherMachine(), parts.host.clock, MACHINE_MS_OLD);
  }

  async take(client: CtdbClient): Promise<Result<ClusterFacts>> {
    const session = this.#sessionOf(client);
    // What it finds is for the next looks: it may take seconds.
    this.#machine.get().catch(() => undefined);
    const own = client.pnn;
    const settledOf = (pnn: number) => this.#settledOf(session, pnn);
    const [cluster, vnnMap, databases] = await Promise.all([
      gatherCluster(session, { leaderAsKnown: true, settledOf }),
      client.control("GETVNNMAP", undefined, { pnn: own, timeoutMs: session.timeoutMs }),
      this.#databases(client),
    ]);
    if (cluster === undefined) return err("ctdbd does not tell its nodes");
    const nodes = await Promise.all(cluster.nodes.map((node) => lookAt(session, node, cluster)));
    const generation = vnnMap.ok ? vnnMap.value.data.generation : INVALID_GENERATION;
    const ownNode = cluster.nodes.find(({ pnn }) => pnn === own);
    const unhealthy = new Set(ownNode?.unhealthyDatabases.map(({ name }) => name));
    return ok({
      atUs: microsecondsOf(this.#d.host.clock),
      node: own,
      leader: cluster.leader ?? null,
      generation: generation === INVALID_GENERATION ? null : generation,
      recovering: ownNode?.recoveryActive === true,
      nodes,
      addresses: addressesOf(cluster),
      databases: databases.map((each) => ({ ...each, healthy: !unhealthy.has(each.name) })),
      conditions: this.#conditions(cluster),
    });
  }

  #sessionOf(client: CtdbClient): Session {
    if (this.#session?.client !== client) {
      const { host } = this.#d;
      const timelimit = NODE_QUESTION_MS_MAX / 1000;
      this.#session = new Session(client, host, { timelimit, pid: host.pid });
      this.#before = undefined;
      this.#names = new Map();
      this.#settled = new Map();
    }
    return this.#session;
  }

  #settledOf(session: Session, pnn: number): Promise<SettledFacts> {
    const { clock } = this.#d.host;
    const kept =
      this.#settled.get(pnn) ??
      new KeptAnswer(() => gatherSettled(session, pnn), clock, SETTLED_MS_OLD);
    this.#settled.set(pnn, kept);
    return kept.get();
  }

  async #gatherMachine(): Promise<Facts> {
    const line = parseCommandLine(["doctor"]);
    if (!line.ok || line.value.kind !== "run") throw new Error("expected a command");
    const facts = await gatherFacts(this.#d.host, line.value.options);
    this.#machineFacts = facts;
    return facts;
  }

  #conditions(cluster: Gathered): readonly Condition[] {
    const known = this.#machineFacts;
    if (known === undefined) return [];
    const facts = { ...known, cluster };
    return CHECKS.flatMap(({ id, severity, remedy, find }) => {
      if (severity === "note") return [];
      const shown = severity === "error" ? "critical" : "warning";
      return find(facts).map((what): Condition => {
        return { id, severity: shown, text: printable(what), advice: remedy };
      });
    });
  }

  /** Of the own node; `healthy` is filled in later. */
  async #databases(client: CtdbClient): Promise<readonly DatabaseLook[]> {
    const options = { pnn: client.pnn, timeoutMs: NODE_QUESTION_MS_MAX };
    const [map, facts] = await Promise.all([
      client.control("GET_DBMAP", undefined, options),
      this.#d.nodeFacts(),
    ]);
    if (!map.ok) return [];
    const rates = this.#rates(facts.ok ? facts.value : undefined);
    return await Promise.all(
      map.value.data.slice(0, DATABASES_MAX).map(async ({ db_id: id, flags }) => {
        const [name, statistics] = await Promise.all([
          this.#nameOf(client, id),
          client.control("GET_DB_STATISTICS", id, options),
        ]);
        const hot = statistics.ok ? statistics.value.data.hot_keys : [];
        return {
          name,
          id,
          kind: kindOf(flags),
          healthy: true,
          records: null,
          ...rates(name),
          hotKeys: hot
            .filter(({ count, key }) => count > 0 && key.length > 0)
            .sort((a, b) => b.count - a.count)
            .map(({ count, key }) => ({ count, keyHex: bytesHex(key) })),
        };
      }),
    );
  }

  async #nameOf(client: CtdbClient, id: number): Promise<string> {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const options = { pnn: client.pnn, timeoutMs: NODE_QUESTION_MS_MAX };
    const said = await client.control("GET_DBNAME", id, options);
    if (!said.ok) return `0x${id.toString(16).padStart(8, "0")}`;
    this.#names.set(id, said.value.data);
    return said.value.data;
  }

  /** Since the look before; what was not counted then is not known. */
  #rates(facts: NodeFacts | undefined) {
    const before = this.#before;
    const now =
      facts === undefined ? undefined : countedOf(facts, this.#d.host.clock.monotonicMs());
    this.#before = now;
    return (name: string): Pick<DatabaseLook, "callsPerSecond" | "migrationsPerSecond"> => {
      const rate = (of: "calls" | "migrations") => {
        const [later, earlier] = [now?.[of].get(name), before?.[of].get(name)];
        const seconds = ((now?.atMs ?? 0) - (before?.atMs ?? 0)) / 1000;
        if (later === undefined || earlier === undefined || seconds <= 0) return null;
        return later < earlier ? null : Math.round(((later - earlier) / seconds) * 10) / 10;
      };
      return { callsPerSecond: rate("calls"), migrationsPerSecond: rate("migrations") };
    };
  }
}

function countedOf({ databases }: NodeFacts, atMs: number): Counted {
  const calls = databases.map(
    ({ name, hops }) => [name, hops.reduce((all, each) => all + each, 0)] as const,
  );
  const migrations = databases.map((each) => [each.name, each.migrations.count] as const);
  return { atMs, calls: new Map(calls), migrations: new Map(migrations) };
}

function kindOf(flags: number): DatabaseLook["kind"] {
  if ((flags & DB_FLAGS.PERSISTENT) !== 0) return "persistent";
  return (flags & DB_FLAGS.REPLICATED) !== 0 ? "replicated" : "volatile";
}

async function lookAt(session: Session, node: Gatherer, cluster: Gathered): Promise<NodeLook> {
  const { client } = session;
  const { pnn, address, flags, nodeMap } = node;
  const isThere = node.state === "answers";
  const [knowledge, turns, ownJournal] = isThere
    ? await Promise.all([
        pnn === cluster.own ? cluster.knowledge : knowledgeOf(session, pnn),
        turnsOf(client, pnn),
        listensToApi(client, pnn),
      ])
    : [undefined, undefined, "unknown" as const];
  const version = cluster.knowledge?.versions[pnn] ?? 0;
  return {
    node: pnn,
    address,
    flags,
    answers: isThere,
    why: whyOf(node, cluster),
    version: version === 0 ? null : `${version >>> 16}.${version & 0xffff}`,
    ownJournal,
    sees: nodeMap?.map((each) => ({
      node: each.pnn,
      flags: each.flags,
      heardMs: heardMs(each.pnn === pnn ? undefined : knowledge?.heard[each.pnn]),
    })),
    turns,
  };
}

/** More than that is what somebody says who was never heard. */
const HEARD_MS_MAX = 0xffffffff;

function heardMs(age: number | undefined): number | null {
  return age === undefined || age >= HEARD_MS_MAX ? null : age;
}

function whyOf({ pnn, state, health, flags }: Gatherer, cluster: Gathered): string | null {
  const told = problemsIn(cluster.knowledge).find((problem) => problem.pnn === pnn)?.text;
  if (told !== undefined) return printable(told);
  if (state === "silent") return "it is connected and does not answer";
  const failures = flags === 0 ? [] : (health?.failures ?? []);
  return failures.length === 0 ? null : printable(failures.map(peerFailureText).join("; "));
}

async function turnsOf(client: CtdbClient, pnn: number): Promise<NodeLook["turns"]> {
  const options = { pnn, timeoutMs: NODE_QUESTION_MS_MAX, flags: PING_TURNS };
  const said = await client.control("PING", undefined, options);
  const turns = said.ok ? decodePadded(nodeTurns, said.value.data) : undefined;
  if (turns?.ok !== true || turns.value.magic !== TURNS_MAGIC) return undefined;
  const { longest_us, buckets } = turns.value;
  if (buckets.length !== TURN_BUCKETS_MS.length + 1) return undefined;
  return { longestMs: longest_us / 1000, buckets };
}

async function listensToApi(client: CtdbClient, pnn: number): Promise<NodeLook["ownJournal"]> {
  const options = { pnn, timeoutMs: NODE_QUESTION_MS_MAX };
  const asked = { ...options, flags: PING_LISTENERS, srvid: SRVID.API_REQUEST };
  const said = await client.control("PING", undefined, asked);
  if (!said.ok) return "unknown";
  const count = decodeExact(u32Codec, said.value.data);
  return count.ok && count.value > 0 ? "kept" : "none";
}

/** Who says itself that it has it; of a node that does not answer, what others say. */
function addressesOf({ nodes }: Gathered): ClusterFacts["addresses"] {
  const answering = new Set(
    nodes.filter(({ publicIps }) => publicIps !== undefined).map(({ pnn }) => pnn),
  );
  const found = new Map<string, { node: number | null; mayBeOn: number[] }>();
  for (const { pnn: teller, publicIps } of nodes) {
    for (const { address, pnn } of publicIps ?? []) {
      const known = found.get(address) ?? { node: null, mayBeOn: [] };
      found.set(address, known);
      known.mayBeOn.push(teller);
      const isHosted = pnn === teller || (pnn !== UNKNOWN_PNN && !answering.has(pnn));
      if (isHosted && known.node === null && pnn !== UNKNOWN_PNN) known.node = pnn;
    }
  }
  return [...found].map(([address, each]) => ({ address, ...each }));
}
