/**
 * What a scenario plays on: a simulated cluster, at most one client per node, and what was seen
 * last, so that changes can be told without numbers.
 */
import { RECORD_FLAGS, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { INVALID_GENERATION, UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { SimCluster } from "../sim/cluster.ts";
import { publicAddress } from "../sim/host_addresses.ts";
import type { SimNode } from "../sim/node.ts";
import { readContent } from "../sim/record_checker.ts";
import { flagsText } from "../sim/settled.ts";
import { ScenarioClient } from "./scenario_client.ts";

const STEP_MS = 100;
/** A client that has no answer by then has none. */
const ANSWER_LIMIT_SEC = 60;

interface Pending {
  readonly result: Promise<string>;
  done: string | undefined;
}

export class Stage {
  #cluster: SimCluster | undefined;
  readonly #clients = new Map<number, ScenarioClient>();
  readonly #pending = new Map<number, Pending>();
  readonly #names = new Map<string, number>();
  readonly #seenGenerations = new Map<number, number>();
  readonly #hosts = new Map<string, string>();
  #tickled: number[] = [];
  #recoveries = 0;

  get cluster(): SimCluster {
    if (this.#cluster === undefined) throw new Error('expected "cluster …" first');
    return this.#cluster;
  }

  newCluster(text: string): undefined {
    const options = new Map(
      text.split(/ +/).map((word) => {
        const [name = "", value = ""] = word.split("=");
        return [name, value] as const;
      }),
    );
    const take = (name: string, otherwise: string): string => {
      const value = options.get(name) ?? otherwise;
      options.delete(name);
      return value;
    };
    const withoutLock = take("without-lock", "");
    this.#cluster = new SimCluster({
      nodes: Number(take("nodes", "3")),
      clusterLock: take("lock", "no") === "yes",
      seed: Number(take("seed", "1")),
      testMode: take("test-mode", "no") === "yes",
      publicAddresses: Number(take("addresses", "0")),
      journals: take("journals", "no") === "yes",
      withoutLock: withoutLock === "" ? [] : withoutLock.split(",").map(Number),
      tunables: Object.fromEntries([...options].map(([name, value]) => [name, Number(value)])),
    });
    for (const reader of this.#cluster.readers) reader.calmDown();
    this.#watchTickles();
    this.#clients.clear();
    this.#names.clear();
    this.#hosts.clear();
    this.#pending.clear();
    this.#seenGenerations.clear();
    this.#recoveries = 0;
    return undefined;
  }

  /** By its number, or by the name that it was given. */
  node(text: string | undefined): SimNode {
    const pnn = this.#names.get(text ?? "") ?? Number(text);
    return this.cluster.node(pnn);
  }

  /** So that a scenario need not know who wins an election. */
  nameNode(name: string, role: string): undefined {
    const { nodes, lockService } = this.cluster;
    const leads = ({ recoverd }: SimNode) => recoverd?.election.leading === true;
    const taken = new Set(this.#names.values());
    const found =
      role === "holder"
        ? lockService?.holder
        : nodes.find(
            (node) => node.running && leads(node) === (role === "leader") && !taken.has(node.pnn),
          );
    if (found === undefined) throw new Error(`there is no ${role}`);
    this.#names.set(name, found.pnn);
    return undefined;
  }

  // --- time

  run(seconds: number): undefined {
    const { scheduler } = this.cluster;
    scheduler.run(scheduler.nowMs + seconds * 1000);
    return undefined;
  }

  until(condition: () => boolean, limitSec: number): boolean {
    return this.cluster.scheduler.runUntil(condition, limitSec * 1000, STEP_MS);
  }

  /** Runs until the promise has a value; undefined when it has none within the limit. */
  finish<T>(promise: Promise<T>): T | undefined {
    let value: { readonly of: T } | undefined;
    void promise.then((result) => {
      value = { of: result };
    });
    this.until(() => value !== undefined, ANSWER_LIMIT_SEC);
    return value?.of;
  }

  // --- clients

  client(pnn: string | undefined, act: (client: ScenarioClient) => Promise<string>): string[] {
    const result = this.finish(act(this.#clientOf(pnn)));
    return [result ?? `no answer within ${ANSWER_LIMIT_SEC} s`];
  }

  begin(
    pnn: string | undefined,
    act: (client: ScenarioClient, node: SimNode) => Promise<string>,
  ): undefined {
    const result = act(this.#clientOf(pnn), this.node(pnn));
    const pending: Pending = { result, done: undefined };
    this.#pending.set(this.node(pnn).pnn, pending);
    void pending.result.then((text) => {
      pending.done = text;
    });
    return undefined;
  }

  end(pnn: string | undefined): string[] {
    const pending = this.#pending.get(this.node(pnn).pnn);
    if (pending === undefined) throw new Error(`nothing was begun on node ${pnn}`);
    this.#pending.delete(this.node(pnn).pnn);
    return [this.finish(pending.result) ?? `no answer within ${ANSWER_LIMIT_SEC} s`];
  }

  isPending(pnn: string | undefined): boolean {
    return this.#pending.get(this.node(pnn).pnn)?.done === undefined;
  }

  #clientOf(pnn: string | undefined): ScenarioClient {
    const node = this.node(pnn);
    let client = this.#clients.get(node.pnn);
    if (client === undefined) {
      client = new ScenarioClient(this.cluster, node);
      this.#clients.set(node.pnn, client);
    }
    return client;
  }

  // --- what is seen

  status(): readonly string[] {
    return this.cluster.nodes.map((node) => {
      const own = node.daemon?.node;
      if (own === undefined) return `node ${node.pnn}: not running`;
      const views = own.nodes
        .configured()
        .map((pnn) => `${pnn} ${flagsText(own.nodes.flags(pnn))}`)
        .join(", ");
      const mode = own.state.recoveryMode === RECOVERY_NORMAL ? "NORMAL" : "RECOVERY";
      const leader = node.recoverd?.election.leader ?? UNKNOWN_PNN;
      const leads = leader === UNKNOWN_PNN ? "no leader" : `leader ${leader}`;
      return `node ${node.pnn}: ${views}; ${mode}, ${leads}, ${this.#generationText(node)}`;
    });
  }

  #generationText(node: SimNode): string {
    const generation = node.generation ?? INVALID_GENERATION;
    const before = this.#seenGenerations.get(node.pnn);
    this.#seenGenerations.set(node.pnn, generation);
    if (generation === INVALID_GENERATION) return "no generation";
    if (before === undefined) return "first generation";
    return before === generation ? "same generation" : "new generation";
  }

  /** Of the nodes that run. */
  misplaced(): readonly string[] {
    const { addresses, nodes } = this.cluster;
    return addresses.misplaced(nodes.filter(({ running }) => running));
  }

  addresses(): readonly string[] {
    const { nodes, publicAddresses } = this.cluster;
    return Array.from({ length: publicAddresses }, (_, number) => {
      const address = publicAddress(number);
      const having = nodes.filter(({ host }) => host.publicAddresses.has(address));
      const hosts = having.map(({ pnn }) => pnn).join(" ");
      const before = this.#hosts.get(address);
      this.#hosts.set(address, hosts);
      return `${address}: ${hostsText(having.length, before, before === hosts)}`;
    });
  }

  /** For how long any of them was on two hosts. */
  watchAddresses(forSec: number): readonly string[] {
    const { nodes, publicAddresses, scheduler } = this.cluster;
    const endMs = scheduler.nowMs + forSec * 1000;
    let twiceMs = 0;
    const isTwice = (address: string) =>
      nodes.filter(({ host }) => host.publicAddresses.has(address)).length > 1;
    while (scheduler.nowMs < endMs) {
      scheduler.run(scheduler.nowMs + STEP_MS);
      const addresses = Array.from({ length: publicAddresses }, (_, i) => publicAddress(i));
      if (addresses.some(isTwice)) twiceMs += STEP_MS;
    }
    return [twiceMs === 0 ? "never on two" : `on two for ${(twiceMs / 1000).toFixed(1)} s`];
  }

  nameHost(name: string, address: string): undefined {
    const host = this.cluster.nodes.find((node) => node.host.publicAddresses.has(address));
    if (host === undefined) throw new Error(`nobody has ${address}`);
    this.#names.set(name, host.pnn);
    return undefined;
  }

  tickledSince(): string {
    const ports = [...new Set(this.#tickled)].sort((a, b) => a - b);
    this.#tickled = [];
    return ports.length === 0 ? "none" : ports.join(" ");
  }

  #watchTickles(): void {
    this.#tickled = [];
    for (const { host } of this.cluster.nodes) {
      const { publicAddresses } = host;
      const { onTickled } = publicAddresses;
      publicAddresses.onTickled = (from, to) => {
        this.#tickled.push(to.port);
        onTickled(from, to);
      };
    }
  }

  recoveriesSince(): string {
    const count = this.cluster.recoveries - this.#recoveries;
    this.#recoveries = this.cluster.recoveries;
    if (count === 0) return "none";
    return count <= 3 ? "1 to 3" : "many";
  }

  records(name: string, key: string): readonly string[] {
    return this.cluster.nodes.map((node) => {
      const database = node.databases?.databaseByName(name);
      if (database === undefined) return `node ${node.pnn}: no such database`;
      const copy = readContent(database.tdb).get(key);
      if (copy === undefined) return `node ${node.pnn}: no record`;
      const data = copy.data ?? new Uint8Array(0);
      const value = data.length < 4 ? "empty" : `value ${new DataView(data.buffer).getUint32(0)}`;
      const lends = (copy.flags & RECORD_FLAGS.RO_HAVE_DELEGATIONS) !== 0 ? ", lends copies" : "";
      const isCopy = (copy.flags & RECORD_FLAGS.RO_HAVE_READONLY) !== 0 ? ", read-only copy" : "";
      return `node ${node.pnn}: data master ${copy.dmaster}, rsn ${copy.rsn}, ${value}${lends}${isCopy}`;
    });
  }
}

function hostsText(count: number, before: string | undefined, same: boolean): string {
  if (count === 0) return "nobody";
  if (count > 1) return "several hosts";
  if (before === undefined) return "one host";
  return same ? "same host" : "another host";
}
