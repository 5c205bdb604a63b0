/** Recoverd objects of all nodes of a fake cluster, with locks and recovery helpers on virtual time. */
import { silentLogger } from "../../src/base/log.ts";
import { err, ok } from "../../src/base/result.ts";
import { Recoverd } from "../../src/cluster/recoverd.ts";
import type { TakeoverHelper } from "../../src/cluster/takeover_runs.ts";
import { runTakeover } from "../../src/failover/takeover/run_takeover.ts";
import { runRecovery } from "../../src/recovery/run_recovery.ts";
import { NODE_FLAGS_INACTIVE, RECOVERY_NORMAL } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import { LockService, type SimLock } from "../sim/cluster_lock.ts";
import { SeededRandom } from "../sim/random.ts";
import { SimProcess } from "../sim/scheduler.ts";
import { RecordedEvents } from "../support/recorded_events.ts";
import { FakeClient } from "./fake_client.ts";
import { FakeCluster } from "./fake_cluster.ts";

const LOCK_SEED = 1;

export interface WorldOptions {
  readonly lock?: boolean;
  readonly count?: number;
  /** How long the databases of a recovery take. */
  readonly leaderTimeoutMs?: number;
  readonly testMode?: boolean;
  /** With checks of public addresses. */
  readonly localAddresses?: () => ReadonlySet<string>;
}

export class RecoverdWorld {
  readonly cluster: FakeCluster;
  readonly recoverds: Recoverd[] = [];
  readonly locks: SimLock[] = [];
  readonly lockService: LockService;
  /** Recoveries by the node that ran them. */
  readonly recoveries: { readonly pnn: number; readonly generation: number }[] = [];
  /** Recoveries fail while this is set. */
  recoveriesFail = false;
  readonly #options: WorldOptions;
  readonly #journals = new Map<number, RecordedEvents>();

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.cluster = new FakeCluster(options.count ?? 3);
    const { scheduler } = this.cluster;
    const kernel = new SimProcess(scheduler, "kernel");
    this.lockService = new LockService(scheduler, new SeededRandom(LOCK_SEED), kernel);
    for (const node of this.cluster.nodes) {
      node.recoveryMode = 1;
      this.startRecoverd(node.pnn);
    }
  }

  startRecoverd(pnn: number): Recoverd {
    const node = this.cluster.node(pnn);
    const client = new FakeClient(node, node.process);
    const lock = this.lockService.clientOf(node.process, pnn);
    let seed = pnn + 1;
    const recoverd = new Recoverd({
      client,
      clock: node.process.clock,
      timers: node.process.timers,
      random: { u32: () => (seed = (Math.imul(seed, 69069) + 12345) >>> 0) },
      log: silentLogger,
      journal: this.journal(pnn),
      clusterLock: this.#options.lock === true ? lock : undefined,
      leaderTimeoutMs: this.#options.leaderTimeoutMs ?? 5000,
      testMode: this.#options.testMode ?? false,
      takeoverHelper: this.#takeoverHelper(pnn),
      recoveryHelper: { start: (generation, done) => this.#startHelper(pnn, generation, done) },
      setLogLevel: () => {},
      memoryReport: () => "full talloc report",
      addressCheck: this.#options.localAddresses && {
        localAddresses: this.#options.localAddresses,
      },
    });
    this.recoverds[pnn] = recoverd;
    this.locks[pnn] = lock;
    void recoverd.start();
    return recoverd;
  }

  /** Of the recovery daemon of a node and its helpers. */
  journal(pnn: number): RecordedEvents {
    const journal = this.#journals.get(pnn) ?? new RecordedEvents();
    this.#journals.set(pnn, journal);
    return journal;
  }

  /** The lock is taken away from the node, which hears of it at once. */
  loseLock(pnn: number): void {
    this.lockService.holder = undefined;
    this.locks[pnn]?.notifyLost();
  }

  recoverd(pnn: number): Recoverd {
    const recoverd = this.recoverds[pnn];
    if (recoverd === undefined) throw new Error(`no recoverd ${pnn}`);
    return recoverd;
  }

  /** pnn that all living active nodes follow and that itself acts; UNKNOWN_PNN when they differ. */
  get leader(): number {
    const living = this.cluster.nodes.filter(
      (node) => node.alive && !node.process.paused && (node.flags & NODE_FLAGS_INACTIVE) === 0,
    );
    const leaders = new Set(living.map(({ pnn }) => this.recoverd(pnn).election.leader));
    const [leader = UNKNOWN_PNN] = leaders;
    if (leaders.size !== 1 || leader === UNKNOWN_PNN) return UNKNOWN_PNN;
    return this.recoverd(leader).election.mayAct ? leader : UNKNOWN_PNN;
  }

  /** All active nodes in one generation, in mode NORMAL, under one leader. */
  get healthy(): boolean {
    const active = this.cluster.nodes.filter(
      ({ alive, flags }) => alive && (flags & NODE_FLAGS_INACTIVE) === 0,
    );
    const generations = new Set(active.map(({ vnnMap }) => vnnMap.generation));
    return (
      this.leader !== UNKNOWN_PNN &&
      generations.size === 1 &&
      active.every(({ recoveryMode }) => recoveryMode === RECOVERY_NORMAL) &&
      active.every(({ vnnMap }) => vnnMap.map.join() === active.map(({ pnn }) => pnn).join())
    );
  }

  untilHealthy(limitMs = 60_000): void {
    this.cluster.until("healthy", () => this.healthy, limitMs);
  }

  #takeoverHelper(pnn: number): TakeoverHelper {
    return {
      start: ({ rebalance }, done) => {
        const { process, client } = this.#helperProcess(pnn);
        const { clock } = process;
        const journal = this.journal(pnn);
        const host = { client, clock, log: silentLogger, journal, logsDetails: false };
        const options = { rebalance, failoverDisabled: false, homeNodes: () => [] };
        void runTakeover(host, options).then((outcome) => {
          if (!process.alive) return;
          client.close();
          done(outcome.ok ? ok(undefined) : err(outcome.error.reason));
        });
        return { cancel: () => endHelper(process, client) };
      },
    };
  }

  #helperProcess(pnn: number): { readonly process: SimProcess; readonly client: FakeClient } {
    const node = this.cluster.node(pnn);
    const process = new SimProcess(this.cluster.scheduler, `helper of ${pnn}`);
    node.process.onDeath(() => process.kill());
    return { process, client: new FakeClient(node, process) };
  }

  #startHelper(
    pnn: number,
    generation: number,
    done: (outcome: { ok: true; value: undefined } | { ok: false; error: string }) => void,
  ): { cancel(): void } {
    this.recoveries.push({ pnn, generation });
    const { process, client } = this.#helperProcess(pnn);
    const host = {
      client,
      clock: process.clock,
      timers: process.timers,
      random: { u32: () => 5 },
      log: silentLogger,
      journal: this.journal(pnn),
    };
    void runRecovery(host, { generation }).then((outcome) => {
      if (!process.alive) return;
      client.close();
      if (this.recoveriesFail) done({ ok: false, error: "told to fail" });
      else if (outcome.ok) done({ ok: true, value: undefined });
      else done({ ok: false, error: outcome.error.reason });
    });
    return { cancel: () => endHelper(process, client) };
  }
}

function endHelper(process: SimProcess, client: FakeClient): void {
  process.kill();
  client.close();
}
