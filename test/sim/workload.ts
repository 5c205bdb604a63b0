/**
 * The clients of a simulated cluster and what they do how often, drawn from the seed (swarm
 * testing), and the models that they share.
 */
import { DB_FLAGS } from "../../src/wire/constants.ts";
import { CounterModel, MessageModel, OpenRequests } from "./client_models.ts";
import type { SimCluster } from "./cluster.ts";
import type { CommitFaults } from "./commit_faults.ts";
import type { SeededRandom } from "./random.ts";
import { type ClientAction, SimClient } from "./sim_client.ts";
import { TransactionClient } from "./transaction_client.ts";

const DATABASES_MAX = 4;
const KEYS_MAX = 24;
/** Recoveries during which clients are busy: how many, how often, for how long. */
const BUSY_RECOVERY_CHANCE = 0.7;
const WAKES = 4;
const WAKE_MAX_MS = 700;
const MANY_COMMITS_PAUSE_MS = 2000;

export class Workload {
  readonly cluster: SimCluster;
  readonly counters: CounterModel;
  readonly messages: MessageModel;
  readonly requests: OpenRequests;
  readonly clients: readonly SimClient[];
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
  /** How often and how long a client sits on a lock. */
  readonly holdChance: number;
  readonly holdMaxMs: number;
  readonly transactionPauseMs: number;
  /** In runs with many commits. */
  readonly commitFaults: CommitFaults | undefined;
  increments = 0;
  /** Committed ones. */
  transactions = 0;
  readonly transactionClients: readonly TransactionClient[];
  stopped = false;
  readonly #databases: number;
  readonly #keys: number;
  /** By number of the database. */
  readonly #flags: readonly number[];
  readonly #weights: readonly (readonly [ClientAction, number])[];
  #connections = 0;

  /** Clients rest for no less than `leastPauseMs`, where a run has more to do than they. */
  constructor(cluster: SimCluster, commitFaults: CommitFaults | undefined, leastPauseMs = 0) {
    this.cluster = cluster;
    const random = cluster.random.fork();
    const { judge } = cluster;
    this.counters = new CounterModel(judge);
    this.messages = new MessageModel(judge);
    this.requests = new OpenRequests(judge, () => cluster.nowMs);
    this.pauseMinMs = Math.max(random.between(150, 4000), leastPauseMs);
    this.pauseMaxMs = this.pauseMinMs * random.between(1.5, 6);
    this.holdChance = random.chance(0.5) ? 0 : random.between(0, 0.2);
    this.holdMaxMs = random.chance(0.2) ? 3000 : 100;
    const transactionPauseMs = random.between(1000, 15_000);
    this.commitFaults = commitFaults;
    this.transactionPauseMs =
      commitFaults !== undefined ? MANY_COMMITS_PAUSE_MS : transactionPauseMs;
    this.#databases = 1 + random.below(DATABASES_MAX);
    this.#keys = 1 + random.below(KEYS_MAX);
    const readonlyChance = random.pick([0, 0, 0.5, 1]);
    const stickyChance = random.pick([0, 0, 0.5, 1]);
    this.#flags = Array.from(
      { length: this.#databases },
      () =>
        (random.chance(readonlyChance) ? DB_FLAGS.READONLY : 0) |
        (random.chance(stickyChance) ? DB_FLAGS.STICKY : 0),
    );
    this.#weights = [
      ["increment", random.between(3, 20)],
      ["delete", random.chance(0.3) ? 0 : random.between(0, random.chance(0.3) ? 20 : 4)],
      ["fetch", random.chance(0.3) ? 0 : random.between(0, 4)],
      ["read", random.chance(0.3) ? 0 : random.between(0, 12)],
      ["look", random.chance(0.3) ? 0 : random.between(0, 12)],
      ["ping", random.between(0, 1)],
      ["ask", random.between(0, 1)],
      ["message", random.between(0, 3)],
      ["reopen", random.between(0, 0.3)],
    ];
    const whims = random.fork();
    cluster.onRecovery(() => this.#recoveryStarted(whims));
    this.transactionClients = this.#transactionClients(random.fork());
    const perNode = random.chance(0.3) ? 2 : 1;
    this.clients = cluster.nodes.flatMap((node) =>
      Array.from({ length: perNode }, () => {
        const process = cluster.newProcess(`client${node.pnn}`);
        return new SimClient(this, node, process, random.fork());
      }),
    );
  }

  /** Some runs have none; in others they are on some of the nodes. */
  #transactionClients(random: SeededRandom): readonly TransactionClient[] {
    const share = random.pick([0, 0.5, 1]);
    return this.cluster.nodes
      .filter(() => random.chance(share) || this.commitFaults !== undefined)
      .map((node) => new TransactionClient(this, node, random.fork()));
  }

  start(): void {
    for (const client of this.clients) void client.run();
    for (const client of this.transactionClients) client.start();
  }

  /** What clients do while a recovery changes everything is worth more than what they do else. */
  #recoveryStarted(random: SeededRandom): void {
    if (!random.chance(BUSY_RECOVERY_CHANCE)) return;
    for (const client of this.clients) {
      for (let i = 0; i < WAKES; i++) client.wakeAfter(random.between(0, WAKE_MAX_MS));
    }
  }

  stop(): void {
    this.stopped = true;
  }

  newConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  pickAction(random: SeededRandom): ClientAction {
    const total = this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    let left = random.fraction() * total;
    for (const [action, weight] of this.#weights) {
      left -= weight;
      if (left <= 0) return action;
    }
    return "increment";
  }

  pickDatabase(random: SeededRandom): string {
    return databaseName(random.below(this.#databases));
  }
  /** DB_FLAGS that clients attach to it with. */
  databaseFlags(name: string): number {
    return this.#flags.find((_flags, number) => databaseName(number) === name) ?? 0;
  }
  pickKey(random: SeededRandom): string {
    return `key${random.below(this.#keys)}`;
  }
}

function databaseName(number: number): string {
  return `work${number}.tdb`;
}
