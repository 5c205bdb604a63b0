/** ctdbd's test of the cluster lock: a mutex helper of its own for each. */
import type { ClusterLockProbe, LockAttempt } from "./cluster_lock.ts";
import { MutexHelper, type MutexHelperHost } from "./mutex_helper.ts";
import type { LockCommand } from "./mutex_helper_command.ts";

/** Time in which the probe must find that the lock is taken. */
const PROBE_TIMEOUT_MS = 5000;

export class MutexHelperProbe implements ClusterLockProbe {
  readonly #host: MutexHelperHost;
  readonly #command: LockCommand;

  constructor(host: MutexHelperHost, command: LockCommand) {
    this.#host = host;
    this.#command = command;
  }

  probe(answered: (outcome: LockAttempt) => void): { cancel(): void } {
    const helper = new MutexHelper(this.#host, this.#command, PROBE_TIMEOUT_MS, {
      answered: (outcome) => {
        helper.stop();
        answered(outcome);
      },
      lost: () => {},
      ended: () => {},
    });
    return { cancel: () => helper.stop() };
  }
}
