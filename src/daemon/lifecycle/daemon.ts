/**
 * The life of a ctdbd: start in the order that clients and other nodes rely on, run, shut down
 * (docs/daemon.md, "Start-up").
 *
 *     start ─▶ pid file ─▶ directories ─▶ socket free ─▶ init event ─▶ own address ─▶ socket ─▶ databases
 *       attached ─▶ frozen ─▶ clients and nodes served ─▶ setup event ─▶ recovery daemon ─▶ first recovery
 *
 * Invariants:
 * 1. No client is served and no node connected before all databases are frozen.
 * 2. `start` reports once; after a failure nothing of the daemon is left, and the reason is one line.
 * 3. `exit` is called once, as the last thing.
 */
import { err, type Result, done as succeeded } from "../../base/result.ts";
import { TracedTurns, type TurnStall } from "../../base/trace.ts";
import { ClientLinks } from "../../transport/client_links.ts";
import { NodeLinks } from "../../transport/node_links.ts";
import { TcpNodeTransport } from "../../transport/tcp_node_transport.ts";
import { Turns } from "../../transport/turns.ts";
import type { DaemonDependencies } from "../dependencies.ts";
import { JournalRing } from "../journal/journal_ring.ts";
import { Node } from "../node.ts";
import { NodeStatistics } from "../report/node_statistics.ts";
import { AdmindWatch } from "./admind_watch.ts";
import { NodeEvents } from "./node_events.ts";
import { listenOnOwnAddress } from "./own_address.ts";
import { ProcessWatch } from "./process_watch.ts";
import { RecoverdWatch, type StartChild } from "./recoverd_watch.ts";
import { takeoverBeforeShutdown } from "./shutdown_takeover.ts";

/** Together longer than the dead daemon's child needs. */
const PID_FILE_TRIES = 150;
const PID_FILE_RETRY_MS = 50;

type Step = (next: (outcome: Result<unknown>) => void) => void;

export class Daemon {
  readonly #d: DaemonDependencies;
  readonly turns: Turns;
  /** What happened here, until it is kept for good. */
  readonly journal: JournalRing;
  readonly #nodeLinks: NodeLinks;
  readonly #clientLinks: ClientLinks;
  readonly #recoverdLinks: ClientLinks;
  readonly #recoverd: RecoverdWatch;
  readonly #admind: AdmindWatch;
  readonly #statistics: NodeStatistics;
  readonly #watch: ProcessWatch;
  readonly #events: NodeEvents;
  #node: Node | undefined;
  #phase: "new" | "starting" | "running" | "shutting down" | "ended" = "new";
  #pidFileHeld = false;

  constructor(dependencies: DaemonDependencies) {
    const { clock, timers, network, files, paths, log } = dependencies;
    this.#d = dependencies;
    this.journal = new JournalRing(ringName(dependencies), clock);
    this.turns = new Turns(
      new TracedTurns(clock, (stall) => this.#stalled(stall), dependencies.processorMs),
      timers,
    );
    this.#nodeLinks = new NodeLinks({
      transport: dependencies.tls?.transport ?? new TcpNodeTransport(network),
      clock,
      turns: this.turns,
      log,
      owner: {
        onPacket: (packet, pnn) => this.#node?.input.fromNode(packet, pnn),
        onConnected: (pnn) => this.#node?.membership.nodeConnected(pnn),
        onLost: (pnn, reason) => this.#node?.membership.nodeLost(pnn, reason),
        onOutgoing: (pnn) => this.#node?.membership.peers.outgoingUp(pnn),
        onIncoming: (pnn) => this.#node?.membership.peers.incomingUp(pnn),
        onProbation: (pnn) => this.#node?.membership.peers.complete(pnn),
        onRefused: (pnn, times) => this.#node?.membership.peers.refused(pnn, times),
        onMalformed: (pnn, reason) => this.#node?.input.malformedFromNode(pnn, reason),
      },
    });
    this.#clientLinks = new ClientLinks(network, files, this.turns, paths.socket, log);
    this.#recoverdLinks = new ClientLinks(
      network,
      files,
      this.turns,
      paths.recoverdSocket,
      log,
      "node",
    );
    this.#statistics = new NodeStatistics(clock);
    this.#watch = new ProcessWatch({
      timers: this.turns.timers("process-watch"),
      clock,
      log,
      journal: this.journal,
      processorMs: dependencies.processorMs,
    });
    const inTurn = (start: StartChild): StartChild => {
      return (exited) => start((how) => this.turns.run("child-exit", () => exited(how)));
    };
    const written = { log, journal: this.journal, version: dependencies.version };
    this.#recoverd = new RecoverdWatch({
      ...written,
      start: inTurn(dependencies.startRecoverd),
      timers: this.turns.timers("recoverd-watch"),
      tunable: (name) => this.#tunable(name),
    });
    this.#admind = new AdmindWatch({
      ...written,
      start: inTurn(dependencies.startAdmind),
      timers: this.turns.timers("admind-watch"),
      clock,
    });
    this.#events = new NodeEvents({
      runner: dependencies.events,
      turns: this.turns,
      clock,
      log,
      journal: this.journal,
      tunable: (name) => this.#tunable(name),
      recovering: () => this.#node?.state.recovering ?? false,
    });
  }

  /** The running node; undefined before its own address is known and after the end. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** `started` when clients are served, or with the reason why the daemon cannot start. */
  start(started: (outcome: Result<void>) => void): void {
    this.#phase = "starting";
    const { ownPid: pid, version } = this.#d;
    this.journal.record({ kind: "process_started", process: "ctdbd", pid, version });
    const steps: readonly Step[] = [
      (next) => this.#acquirePidFile(PID_FILE_TRIES, next),
      (next) => next(this.#checkDirectories()),
      (next) => this.#clientLinks.clearStaleSocket(next),
      (next) => this.#recoverdLinks.clearStaleSocket(next),
      (next) => this.#runEvent("init", next),
      (next) => next(this.#becomeNode()),
      (next) => this.#attach(next),
      (next) => this.#freeze(next),
    ];
    this.turns.run("start", () =>
      this.#run(steps, (outcome) => {
        if (outcome.ok) this.#serve();
        else this.#abandon();
        started(outcome);
      }),
    );
  }

  /** Ends the daemon in order; further calls do nothing. */
  shutdown(exitCode: number, reason: string): void {
    if (this.#phase === "ended") return;
    this.turns.run("shutdown", () => this.#shutdown(exitCode, reason));
  }

  #stalled(stall: TurnStall): void {
    this.#watch.tookTurn(stall.durationMs);
    this.#d.log.warning(stallText(stall));
    this.journal.record({
      kind: "long_turn",
      duration_ms: stall.durationMs,
      busy_ms: stall.busyMs,
      spans: stall.spans.map(({ name, depth, durationMs }) => ({
        name,
        depth,
        duration_ms: durationMs,
      })),
    });
  }

  #tunable(name: string): number {
    return this.#d.tunables.get(name) ?? 0;
  }

  // --- start

  #run(steps: readonly Step[], finished: (outcome: Result<void>) => void): void {
    const runFrom = (index: number): void => {
      const step = steps[index];
      if (this.#phase !== "starting") {
        finished(err("shut down while starting"));
        return;
      }
      if (step === undefined) {
        finished(succeeded);
        return;
      }
      step((outcome) => (outcome.ok ? runFrom(index + 1) : finished(outcome)));
    };
    runFrom(0);
  }

  /** A child of a daemon that was killed keeps it while it takes public addresses down (docs/failover.md). */
  #acquirePidFile(tries: number, next: (outcome: Result<unknown>) => void): void {
    const { pidFile, isAlive, timers } = this.#d;
    const outcome = pidFile.acquire();
    this.#pidFileHeld = outcome.ok;
    const writer = outcome.ok ? undefined : pidFile.writer();
    if (writer === undefined || isAlive(writer) || tries <= 1) {
      next(outcome);
      return;
    }
    timers.after(PID_FILE_RETRY_MS, () =>
      this.turns.run("start", () => this.#acquirePidFile(tries - 1, next)),
    );
  }

  #checkDirectories(): Result<void> {
    const { volatileDirectory, persistentDirectory, stateDirectory } = this.#d.config.database;
    const directories = [
      ["volatile database directory", volatileDirectory],
      ["persistent database directory", persistentDirectory],
      ["state database directory", stateDirectory],
    ] as const;
    for (const [what, path] of directories) {
      if (!this.#d.files.isWritableDirectory(path)) {
        return err(`Cannot use ${what} "${path}": expected a directory that can be written`);
      }
    }
    return succeeded;
  }

  #runEvent(event: "init", next: (outcome: Result<unknown>) => void): void {
    this.#events.run(event, [], (status) => {
      if (status === 0) this.#d.notify?.(event);
      next(status === 0 ? succeeded : err(`Event "${event}" failed with status ${status}`));
    });
  }

  /** From here on we know who we are. */
  #becomeNode(): Result<void> {
    const { config, nodes, network, log } = this.#d;
    const own = listenOnOwnAddress({
      nodes,
      nodeAddress: config.cluster.nodeAddress,
      network,
      links: this.#nodeLinks,
      log,
    });
    if (!own.ok) return own;
    log.notice(`PNN is ${own.value}`);
    this.#node = new Node({
      dependencies: this.#d,
      events: this.#events,
      turns: this.turns,
      links: this.#nodeLinks,
      recoverd: this.#recoverd,
      admind: this.#admind,
      ownPnn: own.value,
      statistics: this.#statistics,
      journal: this.journal,
      shutdown: (exitCode, reason) => this.shutdown(exitCode, reason),
    });
    this.#node.tunablesChanged();
    this.#node.state.becomeRunstate("INIT");
    const loaded = this.#node.addresses.load();
    if (!loaded.ok) return loaded;
    const { clientService } = this.#node;
    const listening = this.#recoverdLinks.listen(clientService.acceptor("node"));
    return listening.ok ? this.#clientLinks.listen(clientService.acceptor("clients")) : listening;
  }

  #attach(next: (outcome: Result<unknown>) => void): void {
    this.#node?.database.attachExisting((outcome) => this.turns.run("start", () => next(outcome)));
  }

  #freeze(next: (outcome: Result<unknown>) => void): void {
    this.#node?.database.freezeAll((outcome) => this.turns.run("start", () => next(outcome)));
  }

  #serve(): void {
    const node = this.#node;
    if (node === undefined) return;
    this.#phase = "running";
    const { log } = this.#d;
    const timers = this.turns.timers("statistics");
    this.#watch.start();
    this.#statistics.start(timers, () => this.#tunable("StatHistoryInterval"));
    node.state.becomeRunstate("SETUP");
    node.serve();
    const others = node.nodes.configured().filter((pnn) => pnn !== node.pnn);
    this.#nodeLinks.start(
      others.map((pnn) => ({ pnn, address: node.nodes.entry(pnn)?.address ?? "" })),
    );
    this.#d.tls?.start(node.nodes.own.address);
    this.#admind.want(this.#d.wantsAdmind());
    this.#events.run("setup", [], (status) => {
      if (this.#phase !== "running") return;
      if (status !== 0) return this.shutdown(1, "Failed to run setup event");
      this.#d.notify?.("setup");
      const problem = this.#recoverd.start();
      if (problem !== undefined) {
        log.error(`Failed to start recovery daemon: ${problem}`);
        return this.shutdown(11, problem);
      }
      node.membership.keepalive.start();
      node.membership.missingLinks.start();
      node.membership.health.waitForFirstRecovery();
    });
  }

  #abandon(): void {
    this.#phase = "ended";
    this.#release();
  }

  // --- end

  #shutdown(exitCode: number, reason: string): void {
    const { log, config } = this.#d;
    if (this.#phase === "shutting down") {
      log.notice("Already shutting down so will not proceed.");
      return;
    }
    this.#phase = "shutting down";
    log.error(`Shutdown sequence commencing: ${reason}`);
    this.journal.record({ kind: "shutdown", reason });
    const node = this.#node;
    if (node === undefined) {
      this.#end(exitCode);
      return;
    }
    node.state.becomeRunstate("SHUTDOWN");
    // While others take its addresses the node does not start up any more.
    node.membership.health.stop();
    const stop = () => {
      this.#recoverd.stop();
      node.membership.keepalive.stop();
      node.membership.missingLinks.stop();
      // Normally the takeover run has moved all of them.
      node.addresses.shutDown(() => this.#events.run("shutdown", [], () => this.#end(exitCode)));
    };
    // Without event scripts nobody holds anything that could be taken over.
    if (!this.#events.runsScripts) {
      stop();
      return;
    }
    takeoverBeforeShutdown(
      {
        pnn: node.pnn,
        messages: node.routing.messages,
        timers: this.turns.timers("shutdown"),
        log,
        failoverTimeoutSec: config.failover.shutdownFailoverTimeoutSec,
        extraTimeoutSec: config.failover.shutdownExtraTimeoutSec,
      },
      stop,
    );
  }

  #end(exitCode: number): void {
    this.#phase = "ended";
    this.#release();
    this.#d.log.error("Shutdown sequence complete, exiting.");
    this.#d.exit(exitCode);
  }

  #release(): void {
    this.#recoverd.stop();
    this.#admind.stop();
    this.#statistics.stop();
    this.#watch.stop();
    this.#node?.close();
    this.#d.tls?.stop();
    this.#nodeLinks.close();
    this.#clientLinks.close();
    this.#recoverdLinks.close();
    this.#node = undefined;
    if (this.#pidFileHeld) this.#d.pidFile.release();
    this.#pidFileHeld = false;
  }
}

/** No other start of a ctdbd on this node has it. */
function ringName({ clock, ownPid }: DaemonDependencies): string {
  const { sec, usec } = clock.wallTime();
  return `${sec}.${String(usec).padStart(6, "0")}-${ownPid}`;
}

function stallText(stall: TurnStall): string {
  const spans = stall.spans
    .map(({ name, durationMs }) => `${name} ${durationMs.toFixed(1)} ms`)
    .join(", ");
  const { durationMs, busyMs } = stall;
  return `Handling event took ${durationMs.toFixed(1)} ms, ${busyMs.toFixed(1)} ms of it processor time: ${spans}`;
}
