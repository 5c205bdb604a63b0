/**
 * One simulated node: a host with a disk, and on it the same objects that the real processes are
 * made of: ctdbd, recoverd, the recovery helper, each a process that can pause or die by itself.
 */
import { jenkinsHash } from "../../src/base/jenkins_hash.ts";
import type { Logger } from "../../src/base/log.ts";
import { done, err, ok, type Result } from "../../src/base/result.ts";
import { u64 } from "../../src/base/u64.ts";
import { connectClient } from "../../src/client/ctdb_client.ts";
import { FencedClient } from "../../src/client/fenced_client.ts";
import { JournalReporter } from "../../src/client/journal_reporter.ts";
import type { CtdbClient } from "../../src/client/types.ts";
import { Recoverd } from "../../src/cluster/recoverd.ts";
import { PUBLIC_ADDRESSES_FILE } from "../../src/config/public_addresses.ts";
import { TunableSet } from "../../src/config/tunables.ts";
import type { ConfiguredNode } from "../../src/config/types.ts";
import { Daemon } from "../../src/daemon/lifecycle/daemon.ts";
import { DatabaseSet } from "../../src/database/database_set.ts";
import type { DatabaseHost } from "../../src/database/host.ts";
import { localAddresses } from "../../src/failover/addresses/local_addresses.ts";
import { runTakeover } from "../../src/failover/takeover/run_takeover.ts";
import { runRecovery } from "../../src/recovery/run_recovery.ts";
import type { EventRunner } from "../../src/services/event_runner.ts";
import { NoEvents } from "../../src/services/no_events.ts";
import { encode } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import type { ControlName, ControlRequestOf } from "../../src/wire/controls.ts";
import { BROADCAST_CONNECTED } from "../../src/wire/packet.ts";
import { srvidMessage } from "../../src/wire/structs/cluster.ts";
import type { SimCluster } from "./cluster.ts";
import type { SimLock } from "./cluster_lock.ts";
import type { SimDisk } from "./disk.ts";
import { Scripts, SimEvents } from "./event_scripts.ts";
import { SimFiles } from "./files.ts";
import { publicAddressesFile } from "./host_addresses.ts";
import { SimHost } from "./network.ts";
import { LEADER_TIMEOUT_SEC, nodeAddress, nodeConfig, nodeList, PATHS } from "./node_config.ts";
import { guardAddresses, PidLock } from "./orphan_guard.ts";
import type { SeededRandom } from "./random.ts";
import { SimProcess } from "./scheduler.ts";

/** How often ctdb-recoverd tells its helpers that it leads. */
const TELL_MS = 500;
/** How often ctdb-eventd looks whether ctdbd is there. */
const EVENTD_WATCH_MS = 1000;
/** Of a tool that asks for a takeover run, and how long it goes on. */
const REALLOCATE_SRVID = 0x52520000;
const ASK_AGAIN_MS = 10_000;
const ASK_LIMIT_MS = 120_000;
const SAMBA_VERSION = (4 << 16) | 25;

export class SimNode {
  readonly pnn: number;
  readonly host: SimHost;
  readonly files: SimFiles;
  readonly disk: SimDisk;
  readonly scripts: Scripts;
  daemon: Daemon | undefined;
  recoverd: Recoverd | undefined;
  process: SimProcess | undefined;
  recoverdProcess: SimProcess | undefined;
  helperProcess: SimProcess | undefined;
  takeoverProcess: SimProcess | undefined;
  eventdProcess: SimProcess | undefined;
  /** The database part of the running daemon, for the checkers. */
  databases: DatabaseSet | undefined;
  clusterLock: SimLock | undefined;
  /** Its nodes file, when it is not that of the others. */
  nodesFile: readonly ConfiguredNode[] | undefined;
  /** What the node's wall clock shows too much. */
  wallSkewMs = 0;
  readonly #cluster: SimCluster;
  readonly #random: SeededRandom;
  readonly #children = new Set<SimProcess>();
  readonly #clients = new Set<SimProcess>();
  /** They outlive a ctdbd that is killed, until its addresses are gone. */
  readonly #guards = new Set<SimProcess>();
  readonly #pidLock = new PidLock();
  #starts = 0;
  /** What the helpers of its recovery daemon were told last. */
  #actUntilMs = 0;
  #lastPausedMs = Number.NEGATIVE_INFINITY;

  constructor(
    cluster: SimCluster,
    pnn: number,
    random: SeededRandom,
    disk: SimDisk,
    scriptsRandom: SeededRandom,
  ) {
    this.#cluster = cluster;
    this.#random = random;
    this.pnn = pnn;
    this.disk = disk;
    this.files = new SimFiles(disk);
    this.host = new SimHost(`node${pnn}`, nodeAddress(pnn));
    const { publicAddresses } = this.host;
    this.scripts = new Scripts(scriptsRandom, publicAddresses, cluster.partiallyOnline);
    this.scripts.tellLink = async (name, up) => {
      const link = { name, link_state: up ? 1 : 0, references: 0 };
      return (await this.request("SET_IFACE_LINK_STATE", link)) === 0;
    };
    if (cluster.publicAddresses > 0) {
      const file = `${PATHS.etcDirectory}/${PUBLIC_ADDRESSES_FILE}`;
      this.files.writeText(file, publicAddressesFile(cluster.publicAddresses));
    }
    for (const directory of ["/volatile", "/persistent", "/state", "/run"]) {
      this.files.makeDirectory(directory);
    }
  }

  get running(): boolean {
    return this.process?.alive === true;
  }
  /** All of this host, but for clients. */
  get processes(): readonly SimProcess[] {
    return [...this.#children];
  }
  get socket(): string {
    return PATHS.socket;
  }

  // --- life

  start(): void {
    if (this.running || !this.host.powered) return;
    this.#starts += 1;
    const process = this.newProcess("ctdbd");
    this.process = process;
    process.onDeath(() => {
      this.daemon = undefined;
      this.databases = undefined;
      this.#cluster.nodeDied(this);
    });
    const daemon = new Daemon(this.#daemonDependencies(process));
    this.daemon = daemon;
    this.#cluster.journals?.watch(this, daemon);
    daemon.start((outcome) => {
      if (outcome.ok) return;
      this.log(process).error(`cannot start: ${outcome.error}`);
      process.kill();
    });
  }

  /** kill -9 of ctdbd and its helpers. Only who takes the public addresses down goes on for a while. */
  crash(): void {
    this.process?.kill();
    for (const child of [...this.#children]) if (!this.#guards.has(child)) child.kill();
  }

  /** Whoever is to take the addresses of a dead ctdbd down does not run now. */
  get guardPaused(): boolean {
    return [...this.#guards].some(({ paused }) => paused);
  }

  /** The host is gone without a word to anybody; `powerOn` brings it back, without ctdbd. */
  powerOff(): void {
    this.#cluster.network.powerOff(this.host);
    this.crash();
    for (const child of [...this.#children]) child.kill();
    this.host.publicAddresses.clear();
    for (const client of [...this.#clients]) client.kill();
    this.disk.losePower();
  }
  powerOn(): void {
    if (!this.host.powered) this.#cluster.network.powerOn(this.host);
  }

  pause(): void {
    for (const process of this.#children) process.pause();
    this.#lastPausedMs = this.#cluster.scheduler.nowMs;
  }
  resume(): void {
    if (this.process?.paused === true) this.#lastPausedMs = this.#cluster.scheduler.nowMs;
    for (const process of this.#children) process.resume();
  }

  /** Its clients may have been without answers through no fault of the daemon. */
  wasPausedWithin(ms: number): boolean {
    return this.#cluster.scheduler.nowMs - this.#lastPausedMs < ms;
  }

  /** A process of this host, with its own end of the simulated system. */
  newProcess(name: string): SimProcess {
    const fullName = `node${this.pnn}.${name}.${this.#starts}`;
    const process = new SimProcess(this.#cluster.scheduler, fullName, () => this.wallSkewMs);
    this.#children.add(process);
    process.onDeath(() => this.#children.delete(process));
    return process;
  }

  /** A process that survives the crash and the pause of ctdbd, but not a loss of power. */
  newClientProcess(name: string): SimProcess {
    const process = this.#cluster.newProcess(`${name}${this.pnn}`);
    this.#clients.add(process);
    process.onDeath(() => this.#clients.delete(process));
    return process;
  }

  log(process: SimProcess): Logger {
    return this.#cluster.logger(process);
  }

  // --- as the tool does

  /** One control of a short-lived client, to this node or another; undefined when it failed. */
  async request<N extends ControlName>(
    control: N,
    request: ControlRequestOf<N>,
    pnn?: number,
  ): Promise<number | undefined> {
    const process = this.newProcess(control);
    const network = this.#cluster.network.forProcess(this.host, process);
    const connected = await connectClient(network, process.timers, this.socket);
    let status: number | undefined;
    if (connected.ok) {
      const options = pnn === undefined ? {} : { pnn };
      const answer = await connected.value.control(control, request, options);
      if (answer.ok) status = answer.value.status;
      connected.value.close();
    }
    process.kill();
    return status;
  }

  /** As the tool does after it has enabled or disabled a node: asks whoever leads, until there is an answer. */
  async askForTakeoverRun(): Promise<void> {
    const process = this.newProcess("ipreallocate");
    const network = this.#cluster.network.forProcess(this.host, process);
    const connected = await connectClient(network, process.timers, this.socket);
    if (!connected.ok) return process.kill();
    const client = connected.value;
    const srvid = u64(REALLOCATE_SRVID, this.#cluster.network.pidOf(process));
    const registered = await client.registerSrvid(srvid, () => process.kill());
    if (!registered.ok) return process.kill();
    const message = encode(srvidMessage, { pnn: this.pnn, srvid });
    const ask = () => client.sendMessage(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, message);
    ask();
    process.timers.every(ASK_AGAIN_MS, ask);
    process.timers.after(ASK_LIMIT_MS, () => process.kill());
  }

  // --- for the checkers

  /** Generation in which a database's content here is the cluster's; undefined while it is not. */
  validGeneration(name: string): number | undefined {
    const database = this.databases?.databaseByName(name);
    return database?.invalidRecords === true ? undefined : this.servedGeneration(name);
  }

  /**
   * Generation in which clients work on it here: also while its content counts for nothing, when a recovery
   * that was under way has thawed the node after it was stopped.
   */
  servedGeneration(name: string): number | undefined {
    const database = this.databases?.databaseByName(name);
    return database?.freeze.state === "thawed" ? database.generation : undefined;
  }

  /** Of a key, by the vnn map that the node has. */
  lmasterOf(key: Uint8Array): number | undefined {
    return this.map[jenkinsHash(key) % this.map.length];
  }

  /** Stopped or banned. */
  get inactive(): boolean {
    return this.daemon?.node?.nodes.ownInactive === true;
  }

  get map(): readonly number[] {
    return this.daemon?.node?.vnnMap.map ?? [];
  }

  get generation(): number | undefined {
    return this.daemon?.node?.vnnMap.generation;
  }

  // --- what the processes are made of

  #daemonDependencies(process: SimProcess): ConstructorParameters<typeof Daemon>[0] {
    const cluster = this.#cluster;
    const log = this.log(process);
    const tunables = new TunableSet();
    for (const [name, value] of Object.entries(cluster.tunables)) tunables.set(name, value);
    let level = 5;
    return {
      config: nodeConfig(cluster.usesLock(this.pnn), this.host.address),
      paths: PATHS,
      nodes: this.#nodeList(),
      tunables,
      clock: process.clock,
      timers: process.timers,
      random: this.#random.fork(),
      network: cluster.network.forProcess(this.host, process),
      rawNetwork: this.host.publicAddresses.rawNetwork(),
      files: this.files,
      log,
      logLevel: {
        get: () => level,
        set: (value) => {
          level = value;
        },
      },
      tdbs: this.disk.opener(process, (tdb) => cluster.watch(this, tdb)),
      lockWaiter: this.disk.waiter(process),
      ownPid: cluster.network.pidOf(process),
      version: "0",
      announcedVersion: { version: SAMBA_VERSION, fixed: false },
      pidFile: this.#pidLock.fileOf(process, cluster.network.pidOf(process)),
      startRecoverd: (exited) => this.#startRecoverd(process, exited),
      startAdmind: () => "there is none in the simulator",
      wantsAdmind: () => false,
      clusterLockProbe: cluster.probeFor(process),
      events: this.#startEvents(process),
      createDatabase: (host: DatabaseHost) => {
        this.databases = new DatabaseSet(cluster.calls.watch(host));
        cluster.watchRecoveries(this, this.databases);
        return this.databases;
      },
      isAlive: (pid) => cluster.network.isAlive(pid),
      processName: () => undefined,
      loadNodes: (loaded) => process.timers.soon(() => loaded(ok(this.#nodeList()))),
      memoryUse: () => ({ heapBytes: 0, externalBytes: 0, viewedBytes: 0, residentBytes: 0 }),
      exit: () => this.crash(),
    };
  }

  /** The event daemon lives and dies with ctdbd, but for the addresses. */
  #startEvents(ctdbd: SimProcess): EventRunner {
    const log = this.log(ctdbd);
    if (this.#cluster.publicAddresses === 0) return new NoEvents(log, ctdbd.timers);
    const process = this.newProcess("eventd");
    this.eventdProcess = process;
    this.#guards.add(process);
    process.onDeath(() => {
      this.#guards.delete(process);
      // As the product does when its event daemon goes away.
      if (ctdbd.alive) this.#cluster.scheduler.soon(ctdbd, () => this.crash());
    });
    const events = new SimEvents(this.scripts, process, this.newClientProcess("scripts"), ctdbd);
    const watch = process.timers.every(EVENTD_WATCH_MS, () => {
      if (ctdbd.alive) return;
      watch.cancel();
      events.close();
      this.#guard(process, ctdbd);
    });
    return events;
  }

  #guard(process: SimProcess, ctdbd: SimProcess): void {
    const { network } = this.#cluster;
    guardAddresses(
      { files: this.files, addresses: this.host.publicAddresses, pidLock: this.#pidLock },
      { process, network: network.forProcess(this.host, process), log: this.log(process) },
      { pid: network.pidOf(ctdbd), isAlive: () => ctdbd.alive },
      () => process.kill(),
    );
  }

  #nodeList(): readonly ConfiguredNode[] {
    return this.nodesFile ?? nodeList(this.#cluster.size);
  }

  #startRecoverd(parent: SimProcess, exited: (how: string) => void) {
    const process = this.newProcess("recoverd");
    this.recoverdProcess = process;
    const outlives = this.#cluster.publicAddresses > 0;
    if (!outlives) parent.onDeath(() => process.kill());
    process.onDeath(() => {
      if (this.recoverdProcess === process) {
        this.recoverd = undefined;
        this.recoverdProcess = undefined;
      }
      if (parent.alive) this.#cluster.scheduler.soon(parent, () => exited("killed"));
    });
    void this.#runRecoverd(process, parent);
    return { pid: this.#cluster.network.pidOf(process), kill: () => process.kill() };
  }

  async #runRecoverd(process: SimProcess, parent: SimProcess): Promise<void> {
    const cluster = this.#cluster;
    const log = this.log(process);
    const network = cluster.network.forProcess(this.host, process);
    const connected = await connectClient(network, process.timers, PATHS.recoverdSocket);
    if (!connected.ok) return process.kill();
    const client = connected.value;
    const guards = cluster.publicAddresses > 0;
    if (guards) this.#guards.add(process);
    process.onDeath(() => this.#guards.delete(process));
    client.onDisconnect(() => {
      if (!guards) return process.kill();
      recoverd.stop();
      if (this.recoverd === recoverd) this.recoverd = undefined;
      this.#guard(process, parent);
    });
    cluster.leaders.watchBroadcasts(this, client, parent);
    this.clusterLock = cluster.lockFor(process, this.pnn);
    const recoverd = new Recoverd({
      client,
      clock: process.clock,
      timers: process.timers,
      random: this.#random.fork(),
      log,
      journal: new JournalReporter(client, "recoverd", process.clock, process.timers),
      recoveryHelper: {
        start: (generation, ended) => this.#startHelper(process, generation, ended),
      },
      takeoverHelper: {
        start: ({ rebalance }, ended) => this.#startTakeover(process, rebalance, ended),
      },
      clusterLock: this.clusterLock,
      leaderTimeoutMs: LEADER_TIMEOUT_SEC * 1000,
      testMode: cluster.testMode,
      setLogLevel: () => {},
      memoryReport: () => "",
      addressCheck: guards ? { localAddresses: () => localAddresses(network) } : undefined,
    });
    this.recoverd = recoverd;
    process.timers.every(TELL_MS, () => this.#tellHelpers());
    const started = await recoverd.start();
    if (!started.ok) process.kill();
  }

  #startHelper(
    parent: SimProcess,
    generation: number,
    ended: (outcome: Result<void>) => void,
  ): { cancel(): void } {
    this.#cluster.recoveryStarted(this, generation);
    const helper = this.#newHelper("recovery_helper", parent, ended, (process) =>
      this.#recover(process, generation),
    );
    this.helperProcess = helper.process;
    helper.process.onDeath(() => {
      if (this.helperProcess === helper.process) this.helperProcess = undefined;
    });
    return helper;
  }

  #startTakeover(
    parent: SimProcess,
    rebalance: readonly number[],
    ended: (outcome: Result<void>) => void,
  ): { cancel(): void } {
    this.#cluster.journals?.takeoverStarted(this);
    const helper = this.#newHelper("takeover_helper", parent, ended, (process) =>
      this.#takeOver(process, rebalance),
    );
    this.takeoverProcess = helper.process;
    return helper;
  }

  /** `ended` is called once, in the parent, and not after `cancel`. */
  #newHelper(
    name: string,
    parent: SimProcess,
    ended: (outcome: Result<void>) => void,
    work: (process: SimProcess) => Promise<Result<void>>,
  ): { readonly process: SimProcess; cancel(): void } {
    const process = this.newProcess(name);
    parent.onDeath(() => process.kill());
    this.#tellHelpers();
    let reported = false;
    let cancelled = false;
    const report = (outcome: Result<void>) => {
      if (reported) return;
      reported = true;
      // A parent that was paused may give it up before it hears of it.
      this.#cluster.scheduler.soon(parent, () => {
        if (!cancelled) ended(outcome);
      });
    };
    process.onDeath(() => report(err(`the ${name} was killed`)));
    void work(process).then((outcome) => {
      report(outcome);
      process.kill();
    });
    return {
      process,
      cancel: () => {
        cancelled = true;
        process.kill();
      },
    };
  }

  /** As far as its recovery daemon has told it; it is told each half second, and at its start. */
  #fenced(client: CtdbClient, process: SimProcess): CtdbClient {
    return new FencedClient(client, {
      mayAct: () => process.clock.monotonicMs() < this.#actUntilMs,
      refused: () => process.kill(),
    });
  }

  #tellHelpers(): void {
    const { recoverd, recoverdProcess } = this;
    if (recoverd === undefined || recoverdProcess === undefined) return;
    this.#actUntilMs = recoverdProcess.clock.monotonicMs() + recoverd.mayActMs;
  }

  async #recover(process: SimProcess, generation: number): Promise<Result<void>> {
    const network = this.#cluster.network.forProcess(this.host, process);
    const connected = await connectClient(network, process.timers, PATHS.recoverdSocket);
    if (!connected.ok) return err(connected.error.reason);
    const { clock, timers } = process;
    this.#cluster.leaders.watchCoordinator(this, connected.value, generation);
    const client = this.#fenced(connected.value, process);
    const random = this.#random.fork();
    const log = this.log(process);
    const journal = new JournalReporter(client, "recovery_helper", clock, timers);
    const host = { client, clock, timers, random, log, journal };
    const outcome = await runRecovery(host, { generation });
    journal.flush();
    client.close();
    return outcome.ok ? done : err(outcome.error.reason);
  }

  async #takeOver(process: SimProcess, rebalance: readonly number[]): Promise<Result<void>> {
    const network = this.#cluster.network.forProcess(this.host, process);
    const connected = await connectClient(network, process.timers, PATHS.recoverdSocket);
    if (!connected.ok) return err(connected.error.reason);
    const client = this.#fenced(connected.value, process);
    const { clock, timers } = process;
    const journal = new JournalReporter(client, "takeover_helper", clock, timers);
    const host = { client, clock, log: this.log(process), journal, logsDetails: false };
    const options = { rebalance, failoverDisabled: false, homeNodes: () => [] };
    const outcome = await runTakeover(host, options);
    journal.flush();
    client.close();
    return outcome.ok ? done : err(outcome.error.reason);
  }
}
