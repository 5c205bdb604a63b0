/** Who is blamed for what goes wrong, and who is banned for it (docs/recovery.md, "Bans"). */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Clock } from "../platform/types/time.ts";
import type { Culprits } from "./culprits.ts";
import type { NodeRequests } from "./node_requests.ts";
import type { OwnView } from "./own_view.ts";
import { flagsOf } from "./snapshot.ts";

export interface BlameHost {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
  readonly journal: Journal;
  readonly view: OwnView;
  readonly culprits: Culprits;
  readonly requests: NodeRequests;
}

export class Blame {
  readonly #host: BlameHost;

  constructor(host: BlameHost) {
    this.#host = host;
  }

  blame(pnn: number, credits: number, reason: string): void {
    const { clock, culprits, journal, log, view } = this.#host;
    const graceMs = view.tunable("RecoveryGracePeriod") * 1000;
    if (flagsOf(view.nodes, pnn) === undefined) {
      log.warning(`Unknown culprit node ${pnn}`);
      return;
    }
    if (!view.active) return;
    const total = culprits.blame(pnn, credits, reason, clock.monotonicMs(), graceMs);
    const limit = culprits.limit(view.nodes.length);
    journal.record({ kind: "blame", target: pnn, credits, total, limit, reason });
  }

  /** Worth as many credits as there are nodes. */
  blameAll(pnn: number, reason: string): void {
    this.blame(pnn, this.#host.view.nodes.length, reason);
  }

  /** Nodes at the limit. */
  get due(): readonly { readonly pnn: number; readonly credits: number }[] {
    const { culprits, view } = this.#host;
    return culprits.due(view.nodes.length).map((pnn) => ({ pnn, credits: culprits.count(pnn) }));
  }

  ban(pnn: number, credits: number): void {
    const { culprits, log, requests, view } = this.#host;
    log.notice(`Node ${pnn} reached ${credits} banning credits`);
    const limit = culprits.limit(view.nodes.length);
    const reason = `it has ${credits} banning credits of ${limit}: ${culprits.reason(pnn)}`;
    culprits.settle(pnn);
    requests.ban(pnn, reason);
  }
}
