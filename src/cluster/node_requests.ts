/**
 * What a recovery daemon asks of nodes without waiting for it: bans, flags, frozen databases, stopped traffic.
 * A refusal is logged; the next look at the cluster shows what came of it.
 */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { CtdbClient } from "../client/types.ts";
import { RECOVERY_ACTIVE } from "../wire/constants.ts";
import type { StaleFlags } from "./decide.ts";
import type { OwnView } from "./own_view.ts";
import { activeNodes, flagsOf } from "./snapshot.ts";

export class NodeRequests {
  readonly #client: CtdbClient;
  readonly #log: Logger;
  readonly #journal: Journal;
  readonly #view: OwnView;
  #frozen: "no" | "freezing" | "yes" = "no";

  constructor(client: CtdbClient, log: Logger, journal: Journal, view: OwnView) {
    this.#client = client;
    this.#log = log;
    this.#journal = journal;
    this.#view = view;
  }

  ban(pnn: number, reason: string): void {
    if (this.#view.tunable("EnableBans") === 0) {
      this.#log.notice(`Bans are disabled - not banning node ${pnn}`);
      return;
    }
    const time = this.#view.tunable("RecoveryBanPeriod");
    this.#log.notice(`Banning node ${pnn} for ${time} seconds`);
    const by = { node: this.#client.pnn };
    this.#journal.record({ kind: "ban", target: pnn, seconds: time, reason, by });
    const options = { pnn, timeoutMs: this.#view.requestTimeoutMs };
    this.#client.control("SET_BAN_STATE", { pnn, time }, options).then((outcome) => {
      if (!outcome.ok) this.#log.error(`Cannot ban node ${pnn}: ${outcome.error.reason}`);
    });
  }

  /** Stopped or banned: nothing may use our records. */
  lockDatabases(setMode: boolean): void {
    const options = { timeoutMs: this.#view.requestTimeoutMs };
    if (setMode) {
      this.#log.error("Node is stopped or banned but recovery mode is not active. Activating it");
      // A recovery that was under way when this node became inactive has thawed the databases.
      this.#frozen = "no";
      this.#client.control("SET_RECMODE", RECOVERY_ACTIVE, options).then((outcome) => {
        if (!outcome.ok) this.#log.error(`Cannot activate recovery mode: ${outcome.error.reason}`);
      });
    }
    if (this.#frozen !== "no") return;
    this.#frozen = "freezing";
    this.#client.control("FREEZE", undefined, options).then((outcome) => {
      if (!outcome.ok) this.#log.error(`Cannot freeze the databases: ${outcome.error.reason}`);
      if (this.#frozen === "freezing") this.#frozen = outcome.ok ? "yes" : "no";
    });
  }

  /** This node is active: a recovery thaws its databases. */
  databasesAreInUse(): void {
    this.#frozen = "no";
  }

  pushFlags({ pnn, flags, at }: StaleFlags): void {
    this.#log.notice(`Pushing updated flags for node ${pnn} (0x${flags.toString(16)})`);
    const { nodes, requestTimeoutMs: timeoutMs } = this.#view;
    const change = { pnn, new_flags: flags, old_flags: flagsOf(nodes, pnn) ?? flags };
    this.#client.controlEach("MODIFY_FLAGS", change, at, { timeoutMs }).then((outcomes) => {
      for (const [target, outcome] of outcomes) {
        if (outcome.ok) continue;
        this.#log.error(`MODIFY_FLAGS on node ${target}: ${outcome.error.reason}`);
      }
    });
  }

  /** Controls and messages to a node keep their order: it stops before it hears of the election. */
  stopTraffic(): void {
    const { nodes, requestTimeoutMs: timeoutMs } = this.#view;
    const active = activeNodes(nodes);
    this.#client
      .controlEach("SET_RECMODE", RECOVERY_ACTIVE, active, { timeoutMs })
      .then((outcomes) => {
        for (const [pnn, outcome] of outcomes) {
          if (outcome.ok) continue;
          this.#log.warning(`SET_RECMODE on node ${pnn}: ${outcome.error.reason}`);
        }
      });
  }
}
