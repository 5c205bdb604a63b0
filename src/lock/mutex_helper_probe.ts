/** ctdbd's probe of the cluster lock: a mutex helper of its own for each. */
import {
  type ClusterLockProbe,
  PROBE_TIMEOUT_MS,
  type ProbeOutcome,
} from "./cluster_lock_probe.ts";
import { MutexHelper, type MutexHelperHost } from "./mutex_helper.ts";
import type { LockCommand } from "./mutex_helper_command.ts";

const OUTCOMES = {
  held: "taken",
  contended: "contended",
  timeout: "timeout",
  failed: "error",
} as const;

export class MutexHelperProbe implements ClusterLockProbe {
  readonly #host: MutexHelperHost;
  readonly #command: LockCommand;

  constructor(host: MutexHelperHost, command: LockCommand) {
    this.#host = host;
    this.#command = command;
  }

  probe(answered: (outcome: ProbeOutcome, latencySec: number) => void): void {
    const { clock } = this.#host;
    const startMs = clock.monotonicMs();
    const helper = new MutexHelper(this.#host, this.#command, PROBE_TIMEOUT_MS, {
      answered: ({ kind }) => {
        helper.stop();
        answered(OUTCOMES[kind], (clock.monotonicMs() - startMs) / 1000);
      },
      lost: () => {},
      ended: () => {},
    });
  }
}
