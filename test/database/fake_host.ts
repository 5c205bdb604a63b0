/** A DatabaseHost for tests: everything that the database part does is recorded and can be steered. */

import { silentLogger } from "../../src/base/log.ts";
import { ok } from "../../src/base/result.ts";
import { TracedTurns } from "../../src/base/trace.ts";
import type { ControlReply, ControlRequest } from "../../src/control/control_request.ts";
import type { Database } from "../../src/database/database.ts";
import { DatabaseSet } from "../../src/database/database_set.ts";
import type {
  ControlAnswered,
  ControlDetails,
  DatabaseHost,
  MutableStatistics,
} from "../../src/database/host.ts";
import { SliceTurns } from "../../src/database/slice_turns.ts";
import type { FileSystem } from "../../src/platform/types/files.ts";
import type { LockWaiter, TdbOpener } from "../../src/tdb/types.ts";
import { type Codec, encode } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { CONTROLS, type ControlName, type ControlRequestOf } from "../../src/wire/controls.ts";
import type { PacketView } from "../../src/wire/packet.ts";
import { Reader } from "../../src/wire/reader.ts";
import { statistics } from "../../src/wire/structs/statistics.ts";
import { RecordedEvents } from "../support/recorded_events.ts";
import { MemoryLockWaiter, MemoryTdbs } from "./memory_tdb.ts";
import { VirtualTime } from "./virtual_time.ts";

export interface SentControl {
  readonly destination: number;
  readonly opcode: number;
  readonly data: Uint8Array;
}
export interface RequestedControl {
  readonly pnn: number;
  readonly name: ControlName;
  readonly data: Uint8Array;
  readonly timeoutMs: number;
  readonly finished: (outcome: ControlAnswered) => void;
  readonly more: ControlDetails | undefined;
}
export interface SentMessage {
  readonly destination: number;
  readonly srvid: { hi: number; lo: number };
  readonly data: Uint8Array;
}

const DEFAULT_TUNABLES: Record<string, number> = {
  AllowClientDBAttach: 1,
  AllowUnhealthyDBRead: 0,
  ControlTimeout: 60,
  DBRecordCountWarn: 100_000,
  DBRecordSizeWarn: 10_000_000,
  DBSizeWarn: 100_000_000,
  DatabaseHashSize: 131,
  DatabaseMaxDead: 5,
  DeferredAttachTO: 120,
  FetchCollapse: 1,
  LockProcessesPerDB: 200,
  RecBufferSizeLimit: 1_000_000,
  RepackLimit: 10_000,
  SeqnumInterval: 1000,
  TraverseTimeout: 20,
  VacuumFastPathCount: 60,
  VacuumInterval: 10,
  VacuumMaxRunTime: 120,
};

export class FakeHost implements DatabaseHost {
  readonly pnn: number;
  readonly directories = { volatile: "/v", persistent: "/p", state: "/s" };
  tdbMutexes = true;
  readonly time: VirtualTime;
  /** Where files are, unless the test brings others. */
  readonly memory = new MemoryTdbs();
  readonly waiter: MemoryLockWaiter;
  tdbs: TdbOpener = this.memory;
  lockWaiter: LockWaiter;
  readonly clock: VirtualTime;
  readonly timers: VirtualTime;
  readonly random = { u32: () => 4 };
  readonly log = silentLogger;
  readonly journal = new RecordedEvents();
  readonly warnings: string[] = [];
  readonly trace: TracedTurns;
  readonly slices: SliceTurns;
  readonly statistics: MutableStatistics;
  readonly tunables = { ...DEFAULT_TUNABLES };

  currentGeneration = 77;
  counted = 77;
  recoveriesCommitted = 0;
  map: number[] = [0];
  isRecovering = false;
  runstate: "INIT" | "STARTUP" | "RUNNING" = "RUNNING";
  readonly flags = new Map<number, number>();
  recoveriesForced: string[] = [];
  readonly toNodes: { pnn: number; packet: PacketView }[] = [];
  readonly toClients: { clientId: number; packet: PacketView }[] = [];
  readonly controlsSent: SentControl[] = [];
  /** Controls that want an answer: the test calls `finished`. */
  readonly requests: RequestedControl[] = [];
  readonly messagesSent: SentMessage[] = [];
  /** What waits for any listener. */
  waitingBytes = 0;
  readonly handlers = new Map<string, (data: Uint8Array, srcnode: number) => void>();
  readonly fileNames: string[] = [];
  readonly renames: string[] = [];
  #reqid = 1000;

  constructor(pnn = 0, time = new VirtualTime()) {
    this.pnn = pnn;
    this.time = time;
    this.clock = time;
    this.timers = time;
    this.waiter = new MemoryLockWaiter(time);
    this.lockWaiter = this.waiter;
    this.trace = new TracedTurns(time, () => {});
    this.slices = new SliceTurns(time, this.trace);
    this.statistics = structuredClone(
      statistics.decode(new Reader(new Uint8Array(statistics.minSize))),
    ) as MutableStatistics;
    this.flags.set(pnn, 0);
  }

  databaseWarning(name: string, problem: string, _text: string): void {
    this.warnings.push(`${name}: ${problem}`);
  }

  readonly files: FileSystem = {
    readText: () => ok(""),
    writeText: () => ok(undefined),
    exists: () => true,
    kindOf: () => "other",
    makeDirectory: () => ok(undefined),
    list: () => ok([...this.fileNames].sort()),
    remove: () => ok(undefined),
    rename: (from, to) => {
      this.renames.push(to);
      const file = this.memory.files.get(from);
      this.memory.files.delete(from);
      if (file !== undefined) this.memory.files.set(to, file);
      return ok(undefined);
    },
    isWritableDirectory: () => true,
  };

  tunable(name: string): number {
    const value = this.tunables[name];
    if (value === undefined) throw new Error(`unknown tunable ${name}`);
    return value;
  }
  generation(): number {
    return this.currentGeneration;
  }
  recoveryCommitted(): void {
    this.recoveriesCommitted += 1;
  }
  countedWithAll(generation: number): boolean {
    return generation === this.counted;
  }
  vnnMap(): readonly number[] {
    return this.map;
  }
  recovering(): boolean {
    return this.isRecovering;
  }
  nodeFlags(pnn: number): number {
    return this.flags.get(pnn) ?? NODE_FLAGS.DELETED;
  }
  nodeConnected(pnn: number): boolean {
    return (this.nodeFlags(pnn) & (NODE_FLAGS.DELETED | NODE_FLAGS.DISCONNECTED)) === 0;
  }
  activeNodes(): readonly number[] {
    return [...this.flags.keys()].filter((pnn) => (this.nodeFlags(pnn) & 0x39) === 0).sort();
  }
  nodes(): readonly number[] {
    return [...this.flags.keys()]
      .filter((pnn) => (this.nodeFlags(pnn) & NODE_FLAGS.DELETED) === 0)
      .sort();
  }
  runstateBefore(state: "STARTUP" | "RUNNING"): boolean {
    const order = ["INIT", "STARTUP", "RUNNING"];
    return order.indexOf(this.runstate) < order.indexOf(state);
  }
  forceRecovery(reason: string): void {
    this.recoveriesForced.push(reason);
  }
  sendToNode(pnn: number, packet: PacketView): void {
    const copy = packet.copy();
    copy.destnode = pnn;
    this.toNodes.push({ pnn, packet: copy });
  }
  sendToClient(clientId: number, packet: PacketView): void {
    this.toClients.push({ clientId, packet: packet.copy() });
  }
  broadcastControl(destination: number, opcode: number, _srvid: number, data: Uint8Array): void {
    this.controlsSent.push({ destination, opcode, data: data.slice() });
  }
  requestControl(
    pnn: number,
    name: ControlName,
    data: Uint8Array,
    timeoutMs: number,
    finished: (outcome: ControlAnswered) => void,
    more?: ControlDetails,
  ): void {
    this.requests.push({ pnn, name, data: data.slice(), timeoutMs, finished, more });
  }
  queuedBytes(): number {
    return this.waitingBytes;
  }
  sendMessage(destination: number, srvid: { hi: number; lo: number }, data: Uint8Array): void {
    this.messagesSent.push({ destination, srvid, data: data.slice() });
  }
  afterMessages(action: () => void): void {
    this.time.soon(action);
  }
  onMessage(
    srvid: { hi: number; lo: number },
    handler: (data: Uint8Array, srcnode: number) => void,
  ): () => void {
    const key = `${srvid.hi}:${srvid.lo}`;
    this.handlers.set(key, handler);
    return () => {
      if (this.handlers.get(key) === handler) this.handlers.delete(key);
    };
  }
  processName(pid: number): string | undefined {
    return `program${pid}`;
  }
  newReqid(): number {
    this.#reqid += 1;
    return this.#reqid;
  }
}

type AttachControl = "DB_ATTACH" | "DB_ATTACH_PERSISTENT" | "DB_ATTACH_REPLICATED";

/** Sends controls to a set as a local client, and keeps the answers. */
export class ControlCaller {
  readonly set: DatabaseSet;
  readonly host: FakeHost;

  constructor(host: FakeHost, set = new DatabaseSet(host)) {
    this.host = host;
    this.set = set;
  }

  /** The answer; a promise would need real turns, so a later one lands in the object. */
  call<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    from: Partial<ControlRequest> = {},
  ): { reply: ControlReply | undefined } {
    const handler = this.set.controls[name];
    if (handler === undefined) throw new Error(`control ${name} has no handler`);
    const answer: { reply: ControlReply | undefined } = { reply: undefined };
    const whole = {
      srvid: { hi: 0, lo: 0 },
      flags: 0,
      srcnode: this.host.pnn,
      clientId: 1,
      bytes: encode(CONTROLS[name].request as Codec<unknown>, request).length,
    };
    const now = handler(request, { ...whole, ...from }, (reply) => {
      if (answer.reply !== undefined) throw new Error(`control ${name} is answered twice`);
      answer.reply = reply;
    });
    if (now !== "later") answer.reply = now;
    return answer;
  }

  /** As `call`, for answers that come within a moment. */
  now<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    from: Partial<ControlRequest> = {},
  ): ControlReply {
    const answer = this.call(name, request, from);
    this.host.time.settle();
    if (answer.reply === undefined) this.host.time.advance(50);
    if (answer.reply === undefined) throw new Error(`control ${name} is not answered`);
    return answer.reply;
  }

  /** The database id. */
  attach(name: string, control: AttachControl = "DB_ATTACH"): number {
    const reply = this.now(control, name);
    if (reply.status !== 0 || reply.data === undefined) throw new Error(reply.error);
    return new Reader(reply.data).u32();
  }

  /** Attaches, and forgets what the other nodes were told of it. */
  open(name: string, control?: AttachControl): { dbId: number; database: Database } {
    const dbId = this.attach(name, control);
    this.host.controlsSent.length = 0;
    const database = this.set.databaseByName(name);
    if (database === undefined) throw new Error(`${name} is not attached`);
    return { dbId, database };
  }
}
