/**
 * Daemons on a FakeWorld, with a database part that only records what it was asked, and raw clients that
 * send and receive packets.
 */
import { silentLogger } from "../../src/base/log.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { U64 } from "../../src/base/u64.ts";
import { TunableSet } from "../../src/config/tunables.ts";
import type { ConfiguredNode, CtdbConfig, CtdbPaths } from "../../src/config/types.ts";
import { type ReplyLater, SUCCESS } from "../../src/control/control_request.ts";
import type { DatabasePart } from "../../src/daemon/database_part.ts";
import type { DaemonDependencies } from "../../src/daemon/dependencies.ts";
import { Daemon } from "../../src/daemon/lifecycle/daemon.ts";
import type { DatabaseHost } from "../../src/database/host.ts";
import type { ClusterLockProbe, ProbeOutcome } from "../../src/lock/cluster_lock_probe.ts";
import type { Stream } from "../../src/platform/types/network.ts";
import { NoEvents } from "../../src/services/no_events.ts";
import type { LockWaiter, TdbOpener } from "../../src/tdb/types.ts";
import { PacketFramer } from "../../src/transport/framer.ts";
import { type AnyCodec, decodePadded, EMPTY } from "../../src/wire/codec.ts";
import {
  CONTROLS,
  type ControlName,
  type ControlReplyOf,
  type ControlRequestOf,
} from "../../src/wire/controls.ts";
import { CURRENT_NODE, OPERATIONS, type PacketView } from "../../src/wire/packet.ts";
import {
  buildReqControl,
  buildReqMessage,
  type ReplyControl,
  readReplyControl,
  readReqMessage,
} from "../../src/wire/packets/message.ts";
import type { DatabasesStanding } from "../../src/wire/structs/cluster.ts";
import { Writer } from "../../src/wire/writer.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { MemoryFiles } from "../support/memory_files.ts";

export class FakeDatabase implements DatabasePart {
  readonly host: DatabaseHost;
  readonly calls: { clientId: number; packet: PacketView }[] = [];
  readonly nodePackets: PacketView[] = [];
  readonly gone: number[] = [];
  readonly lost: number[] = [];
  frozen = false;
  freezes = 0;
  otherGeneration: string | undefined;
  /** Attaches that wait, as attaches during a recovery do. */
  readonly deferred: ReplyLater[] = [];
  invalidated = 0;

  readonly controls: DatabasePart["controls"] = {
    DB_ATTACH: (_request, _from, later) => {
      this.deferred.push(later);
      return "later";
    },
    DB_FREEZE: () => SUCCESS,
    DB_THAW: () => SUCCESS,
  };

  constructor(host: DatabaseHost) {
    this.host = host;
  }
  attachExisting(done: (outcome: Result<void>) => void): void {
    this.host.timers.soon(() => done(ok(undefined)));
  }
  freezeAll(done: (outcome: Result<void>) => void): void {
    this.host.timers.soon(() => done(ok(undefined)));
  }
  freezeForInactive(done: (outcome: Result<void>) => void): void {
    this.freezes += 1;
    this.frozen = true;
    this.host.timers.soon(() => done(ok(undefined)));
  }
  thawAll(): void {
    this.frozen = false;
  }
  recovering(): DatabasesStanding {
    return { databases: 0, ready: 0, recovering: [] };
  }
  hasInvalidRecords(): boolean {
    return false;
  }
  databaseOfOtherGeneration(): string | undefined {
    return this.otherGeneration;
  }
  invalidateGenerations(): void {
    this.invalidated += 1;
  }
  unhealthyReason(): string | undefined {
    return undefined;
  }
  clientCall(clientId: number, packet: PacketView): void {
    this.calls.push({ clientId, packet: packet.copy() });
  }
  nodePacket(packet: PacketView): void {
    this.nodePackets.push(packet.copy());
  }
  /** What a client that goes was committing. */
  committing: readonly string[] = [];
  clientGone(clientId: number): readonly string[] {
    this.gone.push(clientId);
    return this.committing;
  }
  nodeLost(pnn: number): void {
    this.lost.push(pnn);
  }
  recovered(): void {}
  recoveryEnded(): void {}
  resetStatistics(): void {}
  memoryBytes(): number {
    return 0;
  }
  databaseNames(): readonly string[] {
    return [];
  }
  memoryItems() {
    return [];
  }
  facts() {
    return [];
  }
  callFacts() {
    return { pending: 0, collapsed: 0 };
  }
  close(): void {}
}

export class FakeNode {
  readonly daemon: Daemon;
  readonly tunables = new TunableSet();
  readonly pnn: number;
  readonly world: FakeWorld;
  database: FakeDatabase | undefined;
  started: Result<void> | undefined;
  exitCode: number | undefined;
  recoverds: { running: boolean; exited: (how: string) => void }[] = [];
  adminds: { running: boolean; exited: (how: string) => void }[] = [];
  probeOutcome: ProbeOutcome = "contended";
  nodesFile: Result<readonly ConfiguredNode[]>;
  readonly files: MemoryFiles;

  constructor(
    world: FakeWorld,
    nodes: readonly ConfiguredNode[],
    pnn: number,
    overrides: Partial<DaemonDependencies> = {},
  ) {
    this.world = world;
    this.pnn = pnn;
    this.nodesFile = ok(nodes);
    this.files = new MemoryFiles({}, ["/db/volatile", "/db/persistent", "/db/state"]);
    const address = nodes[pnn]?.address ?? "127.0.0.1";
    this.daemon = new Daemon({
      config: fakeConfig,
      paths: fakePaths(pnn),
      nodes,
      tunables: this.tunables,
      clock: world.clock,
      timers: world.timers,
      random: { u32: () => 4 },
      network: world.network(address, 1000 + pnn),
      files: this.files,
      log: silentLogger,
      logLevel: fakeLogLevel(),
      tdbs: {} as TdbOpener,
      lockWaiter: {} as LockWaiter,
      ownPid: 1000 + pnn,
      version: "0",
      announcedVersion: { version: (4 << 16) | 25, fixed: false },
      pidFile: { acquire: () => ok(undefined), release() {}, writer: () => undefined },
      startRecoverd: (exited) => {
        const child = { running: true, exited };
        this.recoverds.push(child);
        return {
          pid: 1,
          kill: () => {
            child.running = false;
          },
        };
      },
      startAdmind: (exited) => {
        const child = { running: true, exited };
        this.adminds.push(child);
        const kill = () => {
          child.running = false;
        };
        return { pid: 2, kill };
      },
      wantsAdmind: () => false,
      clusterLockProbe: undefined,
      events: new NoEvents(silentLogger, world.timers),
      createDatabase: (host) => {
        this.database = new FakeDatabase(host);
        return this.database;
      },
      isAlive: () => true,
      processName: () => undefined,
      loadNodes: (done) => world.timers.soon(() => done(this.nodesFile)),
      memoryUse: () => ({
        heapBytes: 1000,
        externalBytes: 2000,
        viewedBytes: 0,
        residentBytes: 4096,
      }),
      exit: (code) => {
        this.exitCode = code;
      },
      ...overrides,
    });
  }

  start(): void {
    this.daemon.start((outcome) => {
      this.started = outcome;
    });
  }

  get records(): FakeDatabase {
    if (this.database === undefined) throw new Error("the node has no database part yet");
    return this.database;
  }

  /** A probe of the cluster lock that answers `probeOutcome`. */
  probe(): ClusterLockProbe {
    return {
      probe: (done) => void this.world.timers.after(100, () => done(this.probeOutcome, 0.1)),
    };
  }

  client(pid = 4000): RawClient {
    return new RawClient(this.world, `/run/${this.pnn}/ctdbd.socket`, pid);
  }
}

/** Sends packets to a daemon and keeps what comes back. */
export class RawClient {
  readonly received: PacketView[] = [];
  closed = false;
  stream: Stream | undefined;
  readonly #world: FakeWorld;
  readonly #framer = new PacketFramer("client");
  #reqid = 0;

  constructor(world: FakeWorld, path: string, pid: number) {
    this.#world = world;
    world.network("127.0.0.1", pid).connectUnix(path, (outcome) => {
      if (!outcome.ok) {
        this.closed = true;
        return undefined;
      }
      this.stream = outcome.value;
      return {
        onData: (chunk) => {
          this.#framer.push(chunk);
          for (let packet = this.#framer.next(); packet; packet = this.#framer.next()) {
            this.received.push(packet.copy());
          }
        },
        onDrain() {},
        onClose: () => {
          this.closed = true;
        },
      };
    });
    world.settle();
  }

  send(packet: PacketView): void {
    this.stream?.write(packet.bytes());
  }

  sendMessage(destnode: number, srvid: U64, data: Uint8Array): void {
    this.send(messagePacket(destnode, srvid, data));
  }

  /** In one write, so that they arrive together. */
  sendTogether(packets: readonly PacketView[]): void {
    this.stream?.write(new Uint8Array(packets.flatMap((packet) => [...packet.bytes()])));
  }

  /** Sends a control and returns its request id. */
  sendControl<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: { destnode?: number; srvid?: U64; flags?: number } = {},
  ): number {
    this.#reqid += 1;
    const { opcode } = CONTROLS[name];
    const codec: AnyCodec = CONTROLS[name].request;
    const writer = new Writer(codec.minSize);
    codec.encode(writer, request as never);
    const data = writer.finish();
    const { destnode = CURRENT_NODE, srvid = { hi: 0, lo: 0 }, flags = 0 } = options;
    this.sendRawControl(opcode, data, { destnode, srvid, flags });
    return this.#reqid;
  }

  sendRawControl(
    opcode: number,
    data: Uint8Array,
    options: { destnode?: number; srvid?: U64; flags?: number } = {},
  ): void {
    const { destnode = CURRENT_NODE, srvid = { hi: 0, lo: 0 }, flags = 0 } = options;
    const header = { generation: 0, destnode, srcnode: 0, reqid: this.#reqid };
    this.send(buildReqControl(header, { opcode, srvid, client_id: 0, flags, data }));
  }

  reply(reqid: number): ReplyControl | undefined {
    const packet = this.received.find(
      ({ operation, reqid: id }) => operation === OPERATIONS.REPLY_CONTROL && id === reqid,
    );
    if (packet === undefined) return undefined;
    const reply = readReplyControl(packet);
    return reply.ok ? reply.value : undefined;
  }

  /** A control and its answer, within what is due now. */
  control<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: { destnode?: number; srvid?: U64; flags?: number } = {},
  ): Result<{ status: number; data: ControlReplyOf<N> }> {
    const reqid = this.sendControl(name, request, options);
    this.#world.settle();
    const reply = this.reply(reqid);
    if (reply === undefined) return err("no answer");
    if (reply.status < 0) return err(reply.error || `status ${reply.status}`);
    const data = decodePadded<unknown>(CONTROLS[name].reply, reply.data);
    if (!data.ok) return data;
    return ok({ status: reply.status, data: data.value as ControlReplyOf<N> });
  }

  /** Data of the messages that came, as text. */
  messages(): string[] {
    return this.received.flatMap((packet) => {
      if (packet.operation !== OPERATIONS.REQ_MESSAGE) return [];
      const message = readReqMessage(packet);
      return message.ok ? [new TextDecoder().decode(message.value.data)] : [];
    });
  }

  register(srvid: U64): void {
    this.control("REGISTER_SRVID", undefined, { srvid });
  }
}

export function messagePacket(destnode: number, srvid: U64, data: Uint8Array): PacketView {
  return buildReqMessage({ generation: 1, destnode, srcnode: 0, reqid: 0 }, { srvid, data });
}

/** Started nodes that are connected to each other. */
export function startCluster(count: number): { world: FakeWorld; nodes: FakeNode[] } {
  const world = new FakeWorld();
  const configured = configuredNodes(count);
  const nodes = configured.map(({ pnn }) => new FakeNode(world, configured, pnn));
  for (const node of nodes) node.start();
  world.run(1500);
  return { world, nodes };
}

export function configuredNodes(count: number): ConfiguredNode[] {
  return Array.from({ length: count }, (_, pnn) => ({
    pnn,
    address: `127.0.0.${pnn + 1}`,
    deleted: false,
  }));
}

/** What the leader does at the end of a recovery, seen from one node. */
export function recover(node: FakeNode, map: readonly number[], generation = 1234): void {
  const client = node.client(9999);
  client.control("SETVNNMAP", { generation, map });
  client.control("SET_RECMODE", 0);
  client.control("END_RECOVERY", undefined);
  client.stream?.close();
  node.world.settle();
}

function fakeLogLevel() {
  let level = 3;
  return {
    get: () => level,
    set: (value: number) => {
      level = value;
    },
  };
}

export const fakeConfig: CtdbConfig = {
  logging: { logLevel: "NOTICE", location: "file:" },
  cluster: {
    transport: "tcp",
    nodeAddress: undefined,
    clusterLock: undefined,
    nodesList: undefined,
    leaderTimeoutSec: 5,
    leaderCapability: true,
  },
  database: {
    volatileDirectory: "/db/volatile",
    persistentDirectory: "/db/persistent",
    stateDirectory: "/db/state",
    lockDebugScript: undefined,
    tdbMutexes: true,
  },
  event: { debugScript: undefined },
  failover: { disabled: false, shutdownExtraTimeoutSec: 0, shutdownFailoverTimeoutSec: 10 },
  legacy: {
    realtimeScheduling: false,
    lmasterCapability: true,
    startAsStopped: false,
    startAsDisabled: false,
    scriptLogLevel: "ERROR",
  },
};

function fakePaths(pnn: number): CtdbPaths {
  return {
    testMode: true,
    etcDirectory: "/etc",
    dataDirectory: "/usr/share",
    socket: `/run/${pnn}/ctdbd.socket`,
    recoverdSocket: `/run/${pnn}/recd.socket`,
    eventSocket: `/run/${pnn}/eventd.socket`,
    pidFile: `/run/${pnn}/ctdbd.pid`,
    logDirectory: "/log",
    variableDirectory: "/var",
    runDirectory: "/run",
    lockDirectory: "/run",
    helperDirectory: "/helpers",
  };
}

export const NO_DATA = EMPTY;
