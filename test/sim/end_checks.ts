/** What must be true of a simulated cluster at the end of a run, when its clients have gone. */
import type { Tdb, TdbResult } from "../../src/tdb/types.ts";
import type { SimCluster } from "./cluster.ts";
import { readContent } from "./record_checker.ts";
import { CALM_MS, LOOK_MS } from "./rest_watch.ts";
import { leftovers } from "./vacuum_backlog.ts";
import { InvariantViolation } from "./violation.ts";
import type { Workload } from "./workload.ts";

/** Some rounds of full runs over all databases, one after the other. */
const VACUUM_LIMIT_MS = 900_000;
const JOURNAL_LIMIT_MS = 60_000;
const CHECK_ATTEMPTS = 20;
const CHECK_STEP_RECORDS = 1000;

/** With the clients gone nothing waits in a daemon any more. */
export function drained({ scheduler, nodes }: SimCluster, workload: Workload): void {
  const limitMs = scheduler.nowMs + CALM_MS;
  const left = () => {
    const open: string[] = [];
    const { size } = workload.requests;
    if (size > 0) open.push(`${size} requests of clients`);
    for (const { pnn, databases } of nodes) {
      if (databases === undefined) continue;
      if (databases.pendingCalls > 0) open.push(`node ${pnn}: ${databases.pendingCalls} calls`);
      if (databases.memoryBytes() > 0) open.push(`node ${pnn}: parked requests`);
    }
    return open;
  };
  while (left().length > 0) {
    if (scheduler.nowMs >= limitMs) {
      throw new InvariantViolation(`still open after the clients have gone: ${left().join("; ")}`);
    }
    scheduler.run(scheduler.nowMs + LOOK_MS);
  }
}

/** Deleted records do not pile up: left alone, all nodes get rid of them. */
export function vacuumed({ scheduler, nodes }: SimCluster): void {
  const limitMs = scheduler.nowMs + VACUUM_LIMIT_MS;
  for (let left = leftovers(nodes); left.length > 0; left = leftovers(nodes)) {
    if (scheduler.nowMs >= limitMs) {
      throw new InvariantViolation(
        `deleted records are still there after ${VACUUM_LIMIT_MS / 1000} s: ${left.slice(0, 5).join("; ")}`,
      );
    }
    scheduler.run(scheduler.nowMs + LOOK_MS);
  }
}

/** Who keeps the events of a node has all of them soon, when nobody kills it. */
export function journalsAreWhole({ scheduler, nodes, journals }: SimCluster): void {
  const waiting = new Set(nodes);
  const whole = () => {
    for (const node of waiting) {
      if (journals?.behind(node) === undefined) waiting.delete(node);
    }
    return waiting.size === 0;
  };
  if (scheduler.runUntil(whole, JOURNAL_LIMIT_MS)) return;
  const texts = [...waiting].map((node) => journals?.behind(node));
  throw new InvariantViolation(`events are not kept: ${texts.join("; ")}`);
}

/** Every active node has the same records of persistent and replicated databases. */
export function copiesAreEqual({ nodes }: SimCluster): void {
  const copies = new Map<string, { readonly pnn: number; readonly content: string }>();
  for (const { pnn, databases } of nodes) {
    for (const { name, tdb, kind } of databases?.databases() ?? []) {
      if (kind === "volatile") continue;
      const content = copyOf(tdb);
      const first = copies.get(name) ?? { pnn, content };
      copies.set(name, first);
      if (first.content !== content) {
        throw new InvariantViolation(`${name} differs on nodes ${first.pnn} and ${pnn}`);
      }
    }
  }
}

export function filesAreSound(cluster: SimCluster): void {
  for (const { pnn, databases } of cluster.nodes) {
    for (const { name, tdb } of databases?.databases() ?? []) {
      const outcome = check(cluster, tdb);
      if (!outcome.ok) {
        throw new InvariantViolation(`${name} on node ${pnn} is damaged: ${outcome.error.reason}`);
      }
    }
  }
}

/** Somebody may still sit on a lock: then once more a moment later. */
function check({ scheduler }: SimCluster, tdb: Tdb): TdbResult<void> {
  for (let attempt = 1; ; attempt++) {
    const walk = tdb.check();
    let outcome = walk.step(CHECK_STEP_RECORDS);
    while (outcome === undefined) outcome = walk.step(CHECK_STEP_RECORDS);
    if (outcome.ok || outcome.error.code !== "busy" || attempt === CHECK_ATTEMPTS) return outcome;
    scheduler.run(scheduler.nowMs + LOOK_MS);
  }
}

/** A run in which the checkers saw nothing proves nothing. */
export function sawEnough({ records, leaders, addresses, journals }: SimCluster): void {
  const seen = [records.storesSeen, records.thawsSeen, leaders.actsSeen, addresses.takesSeen];
  seen.push(journals?.eventsSeen ?? 0);
  if (seen.every((count) => count > 0)) return;
  throw new Error(
    `the checkers saw ${seen[0]} stores, ${seen[1]} thaws, ${seen[2]} acts of leaders, ${seen[3]} takes of addresses, ${seen[4]} events`,
  );
}

/** Records with data: an empty one may be there or not. */
function copyOf(tdb: Tdb): string {
  const records: string[] = [];
  for (const [key, { data }] of readContent(tdb)) {
    if (data !== undefined && data.length > 0)
      records.push(`${key}=${Buffer.from(data).toString("hex")}`);
  }
  return records.sort().join(" ");
}
