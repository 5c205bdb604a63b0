/**
 * Several DatabaseSets joined by links that keep the order between two nodes and nothing else: which
 * link delivers next is drawn from a seed. Clients behave like smbd: they lock the record, look whether
 * this node is data master, change the data, and otherwise call and look again.
 */
import { err, ok } from "../../src/base/result.ts";
import { U64_ZERO } from "../../src/base/u64.ts";
import type { ControlHandler, ControlReply } from "../../src/control/control_request.ts";
import type { Database } from "../../src/database/database.ts";
import { DatabaseSet } from "../../src/database/database_set.ts";
import type { ControlAnswered, ControlDetails } from "../../src/database/host.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { decodeExact, EMPTY } from "../../src/wire/codec.ts";
import { CALL_FLAGS, NULL_FUNC } from "../../src/wire/constants.ts";
import { CONTROL_NAMES, CONTROLS, type ControlName } from "../../src/wire/controls.ts";
import { BROADCAST_ACTIVE, BROADCAST_CONNECTED, type PacketView } from "../../src/wire/packet.ts";
import { Reader } from "../../src/wire/reader.ts";
import { must } from "../support/must.ts";
import { ControlCaller, FakeHost } from "./fake_host.ts";
import { nodePacketArrives } from "./fake_input.ts";
import { buildReqCall, OPERATION_REPLIES } from "./packets_for_tests.ts";
import { VirtualTime } from "./virtual_time.ts";

export class SeededRandom {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state >>>= 0;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state % limit;
  }
}

class ClusterHost extends FakeHost {
  readonly #cluster: FakeCluster;
  constructor(cluster: FakeCluster, pnn: number) {
    super(pnn, cluster.time);
    this.#cluster = cluster;
  }
  override sendToNode(pnn: number, packet: PacketView): void {
    const copy = packet.copy();
    copy.destnode = pnn;
    this.#cluster.send(this.pnn, pnn, (node) => nodePacketArrives(node.host, node.set, copy));
  }
  override sendToClient(clientId: number, packet: PacketView): void {
    this.#cluster.answers.push({ pnn: this.pnn, clientId, packet: packet.copy() });
  }
  override broadcastControl(destination: number, opcode: number, _srvid: number, data: Uint8Array) {
    const isBroadcast = destination === BROADCAST_ACTIVE || destination === BROADCAST_CONNECTED;
    const targets = isBroadcast ? this.#cluster.nodes.map(({ host }) => host.pnn) : [destination];
    const bytes = data.slice();
    for (const pnn of targets) {
      this.#cluster.send(this.pnn, pnn, (node) => node.control(opcode, bytes, this.pnn));
    }
  }
  override requestControl(
    pnn: number,
    name: ControlName,
    data: Uint8Array,
    timeoutMs: number,
    finished: (outcome: ControlAnswered) => void,
    more: ControlDetails = { srvid: U64_ZERO, flags: 0 },
  ): void {
    const bytes = data.slice();
    let open = true;
    const finish = (outcome: ControlAnswered): void => {
      if (open) finished(outcome);
      open = false;
    };
    this.#cluster.time.after(timeoutMs, () => finish(err("ctdb_control timed out")));
    this.#cluster.send(this.pnn, pnn, (node) =>
      node.control(
        CONTROLS[name].opcode,
        bytes,
        this.pnn,
        ({ status, data, error }) => {
          const outcome =
            status < 0 ? err(error ?? `status ${status}`) : ok({ status, data: data ?? EMPTY });
          this.#cluster.send(pnn, this.pnn, () => finish(outcome));
        },
        more,
      ),
    );
  }
  override sendMessage(
    destination: number,
    srvid: { hi: number; lo: number },
    data: Uint8Array,
  ): void {
    const bytes = data.slice();
    this.#cluster.send(this.pnn, destination, (node) => node.message(srvid, bytes, this.pnn));
  }
}

export class ClusterNode {
  readonly host: ClusterHost;
  readonly set: DatabaseSet;
  readonly caller: ControlCaller;
  readonly messages: { srvid: { hi: number; lo: number }; data: Uint8Array }[] = [];

  constructor(cluster: FakeCluster, pnn: number) {
    this.host = new ClusterHost(cluster, pnn);
    if (cluster.files === "tdb") {
      // The real format and its locks, in memory.
      const { opener, lockWaiter } = createMemoryTdbs({
        timers: cluster.time,
        clock: cluster.time,
      });
      this.host.tdbs = opener;
      this.host.lockWaiter = lockWaiter;
    }
    this.set = new DatabaseSet(this.host);
    this.caller = new ControlCaller(this.host, this.set);
  }
  database(name: string): Database {
    const database = this.set.databaseByName(name);
    if (database === undefined) throw new Error(`database ${name} is not attached`);
    return database;
  }
  /** As another process would see it: undefined while it is locked. */
  value(name: string, key: Uint8Array): Uint8Array | undefined {
    const database = this.database(name);
    if (!database.gate.isOpen) return undefined;
    const fetched = database.tdb.fetch(key);
    return fetched.ok ? fetched.value : undefined;
  }
  control(
    opcode: number,
    data: Uint8Array,
    srcnode: number,
    answer: (reply: ControlReply) => void = () => {},
    { srvid, flags }: ControlDetails = { srvid: U64_ZERO, flags: 0 },
  ): void {
    const name = CONTROL_NAMES.find((candidate) => CONTROLS[candidate].opcode === opcode);
    const handler = name === undefined ? undefined : this.set.controls[name];
    if (name === undefined || handler === undefined) throw new Error(`no handler for ${opcode}`);
    const request = must(decodeExact<unknown>(CONTROLS[name].request, data.slice()));
    const from = { srvid, flags, srcnode, clientId: 0, bytes: data.length };
    const now = (handler as ControlHandler<unknown>)(request, from, answer);
    if (now !== "later") answer(now);
  }
  message(srvid: { hi: number; lo: number }, data: Uint8Array, srcnode: number): void {
    const handler = this.host.handlers.get(`${srvid.hi}:${srvid.lo}`);
    if (handler === undefined) this.messages.push({ srvid, data });
    else handler(data, srcnode);
  }
}

export class FakeCluster {
  readonly time = new VirtualTime();
  readonly random: SeededRandom;
  readonly nodes: ClusterNode[];
  readonly answers: { pnn: number; clientId: number; packet: PacketView }[] = [];
  readonly #links = new Map<string, ((node: ClusterNode) => void)[]>();
  packetsDelivered = 0;
  afterStep: () => void = () => {};
  readonly files: "simple" | "tdb";

  constructor(seed: number, files: "simple" | "tdb" = "simple", count = 3) {
    this.files = files;
    this.random = new SeededRandom(seed);
    this.nodes = Array.from({ length: count }, (_, pnn) => new ClusterNode(this, pnn));
    for (const { host } of this.nodes) {
      host.map = this.nodes.map((node) => node.host.pnn);
      for (const other of this.nodes) host.flags.set(other.host.pnn, 0);
    }
  }

  /** A database that every node has; its id. */
  attach(name: string): number {
    const first = this.nodes[0] as ClusterNode;
    const { reply } = first.caller.call("DB_ATTACH", name);
    this.settle();
    if (reply?.data === undefined) throw new Error(`attaching ${name} is not answered`);
    for (const node of this.nodes) node.database(name);
    return new Reader(reply.data).u32();
  }

  send(from: number, to: number, deliver: (node: ClusterNode) => void): void {
    const key = `${from}>${to}`;
    const link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, [deliver]);
    else link.push(deliver);
  }

  /** Delivers one packet, or runs one turn, or else the next timer. False when nothing is left. */
  step(): boolean {
    const moved = this.#deliverOne() || this.time.runNextTimer();
    if (moved) this.afterStep();
    return moved;
  }

  #deliverOne(): boolean {
    const links = [...this.#links].filter(([, packets]) => packets.length > 0);
    const choices = links.length + (this.time.soonCount > 0 ? 1 : 0);
    if (choices === 0) return false;
    const choice = links[this.random.below(choices)];
    if (choice === undefined) return this.time.runOneSoon();
    const [key, packets] = choice;
    const node = this.nodes[Number(key.split(">")[1])];
    if (node !== undefined) packets.shift()?.(node);
    this.packetsDelivered += 1;
    return true;
  }

  /** Until the condition holds; a cluster that stands still is a failure. */
  runUntil(condition: () => boolean, what: string): void {
    let idle = 0;
    for (let steps = 0; !condition(); steps++) {
      if (steps > 2_000_000) throw new Error(`${what} takes too long`);
      // Clients also work without packets, so a single idle step is no standstill.
      idle = this.step() ? 0 : idle + 1;
      if (idle > 200) throw new Error(`nothing moves any more, but not: ${what}`);
    }
  }
  settle(): void {
    while (this.#deliverOne()) this.afterStep();
  }

  call(
    pnn: number,
    clientId: number,
    reqid: number,
    dbId: number,
    key: Uint8Array,
    how = { flags: CALL_FLAGS.IMMEDIATE_MIGRATION as number, callid: NULL_FUNC },
  ): void {
    const node = this.nodes[pnn] as ClusterNode;
    const header = { generation: 0, destnode: 0xf0000001, srcnode: 0, reqid };
    const body = { ...how, db_id: dbId, hopcount: 0, key };
    const packet = buildReqCall(header, { ...body, calldata: new Uint8Array(0) });
    node.set.clientCall(clientId, packet);
  }

  /** The answer to a call, taken out; "ok", "error", or undefined when it is not there yet. */
  takeAnswer(pnn: number, clientId: number, reqid: number): "ok" | "error" | undefined {
    const at = this.answers.findIndex(
      (answer) =>
        answer.pnn === pnn && answer.clientId === clientId && answer.packet.reqid === reqid,
    );
    const [answer] = at < 0 ? [] : this.answers.splice(at, 1);
    return answer === undefined ? undefined : OPERATION_REPLIES[answer.packet.operation];
  }
}
