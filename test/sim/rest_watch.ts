/**
 * Lets time pass in a simulated cluster, and judges it whenever it has been at rest for long enough: then no request of
 * before may be open, and every public address is where it belongs.
 */
import type { SimCluster } from "./cluster.ts";
import { unsettled } from "./settled.ts";
import { InvariantViolation } from "./violation.ts";
import type { Workload } from "./workload.ts";

/** A cluster at rest for so long has no reason to keep anybody waiting. */
export const CALM_MS = 45_000;
export const LOOK_MS = 1000;
/**
 * A leader that was cut off in a takeover run leaves runs disabled for 60 s; who misses an address asks again after at
 * most 16 s, and a run takes a while.
 */
export const PLACED_MS = 90_000;

export class RestWatch {
  readonly #cluster: SimCluster;
  readonly #workload: Workload;
  /** Since then nothing is wrong with addresses, either. */
  #placedSinceMs: number | undefined;
  /** How often all addresses were judged. */
  placedJudged = 0;
  #calmSinceMs: number | undefined;

  constructor(cluster: SimCluster, workload: Workload) {
    this.#cluster = cluster;
    this.#workload = workload;
  }

  /** Runs on; whenever the cluster has been at rest for long enough, nothing old may be open. */
  step(untilMs: number): void {
    const { scheduler } = this.#cluster;
    scheduler.run(untilMs);
    this.#judgePlaces();
    // A commit that is refused for a disk is tried again by its client for as long as that wants.
    const inTrouble = this.#cluster.nodes.some(({ disk }) => disk.trouble.isOn);
    if (inTrouble || !this.#cluster.settled()) {
      this.#calmSinceMs = undefined;
      return;
    }
    this.#calmSinceMs ??= scheduler.nowMs;
    if (scheduler.nowMs - this.#calmSinceMs >= CALM_MS) {
      this.#workload.requests.judge(this.#calmSinceMs);
    }
  }

  /** How long it took. */
  until(what: string, limitMs: number): number {
    const { scheduler, nodes } = this.#cluster;
    const startMs = scheduler.nowMs;
    while (!this.#cluster.settled()) {
      if (scheduler.nowMs - startMs >= limitMs) {
        throw new InvariantViolation(
          `the cluster did not ${what} within ${limitMs / 1000} s: ${unsettled(nodes).join("; ")}`,
        );
      }
      this.step(scheduler.nowMs + LOOK_MS);
    }
    return scheduler.nowMs - startMs;
  }

  /** In a cluster that has been at rest for long enough every address is where it belongs. */
  #judgePlaces(): void {
    const { scheduler, nodes, addresses } = this.#cluster;
    const inTrouble = nodes.some(
      ({ scripts, host, process, recoverdProcess }) =>
        scripts.trouble !== undefined ||
        scripts.troubled > 0 ||
        !host.publicAddresses.allPlugged ||
        process?.paused === true ||
        recoverdProcess?.paused === true,
    );
    if (inTrouble || !this.#cluster.settled() || addresses.disturbed) {
      this.#placedSinceMs = undefined;
      return;
    }
    this.#placedSinceMs ??= scheduler.nowMs;
    if (scheduler.nowMs - this.#placedSinceMs < PLACED_MS) return;
    this.placedJudged += 1;
    const problems = addresses.misplaced();
    if (problems.length === 0) return;
    throw new InvariantViolation(
      `public addresses are not in place after ${PLACED_MS / 1000} s of rest: ${problems.join("; ")}`,
    );
  }
}
