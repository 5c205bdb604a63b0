/**
 * Controls on their way: which node was asked, who waits for the answer, and until when.
 *
 * Invariants:
 * 1. What is in the table leaves it once: with its reply, after its time, or when its node or its client is gone.
 * 2. A client that waits for CONTROLS_PER_CLIENT_MAX of them is not read from.
 */
import type { Result } from "../base/result.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import { type ControlReply, failure } from "./control_request.ts";
import type { ControlClient, ControlCounters } from "./host.ts";
import { CONTROL_TIMEOUT_CHECK_MS, CONTROLS_PER_CLIENT_MAX } from "./limits.ts";

/** Answer to a control of the daemon itself; a negative status is a failure with its text. */
export type OwnControlDone = (outcome: Result<{ status: number; data: Uint8Array }>) => void;

export interface PendingControl {
  readonly pnn: number;
  readonly opcode: number;
  /** Whom to answer: a client with its own request id, or our own code. */
  readonly client: ControlClient | undefined;
  readonly clientReqid: number;
  readonly done: OwnControlDone | undefined;
}

export interface PendingControlsDependencies {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly statistics: Pick<ControlCounters, "timeouts">;
  /** It left the table with this reply, which did not come from another node. */
  finished(pending: PendingControl, reply: ControlReply): void;
}

interface Entry extends PendingControl {
  readonly deadlineMs: number;
}

export class PendingControls {
  readonly #d: PendingControlsDependencies;
  readonly #byId = new Map<number, Entry>();
  #timer: Timer | undefined;

  constructor(dependencies: PendingControlsDependencies) {
    this.#d = dependencies;
  }

  get size(): number {
    return this.#byId.size;
  }

  has(reqid: number): boolean {
    return this.#byId.has(reqid);
  }

  add(reqid: number, pending: PendingControl, timeoutMs: number): void {
    const deadlineMs = this.#d.clock.monotonicMs() + timeoutMs;
    this.#byId.set(reqid, { ...pending, deadlineMs });
    const { client } = pending;
    if (client !== undefined) {
      client.pendingControls += 1;
      if (client.pendingControls === CONTROLS_PER_CLIENT_MAX) client.link.hold();
    }
    this.#timer ??= this.#d.timers.every(CONTROL_TIMEOUT_CHECK_MS, () => this.#expire());
  }

  /** Takes out what a reply of this node answers; undefined when nobody waits for it. */
  takeReplied(reqid: number, fromPnn: number): PendingControl | undefined {
    const pending = this.#byId.get(reqid);
    if (pending === undefined || pending.pnn !== fromPnn) return undefined;
    this.#forget(reqid, pending);
    return pending;
  }

  /** Does nothing when it has left the table. */
  finish(reqid: number, reply: ControlReply): void {
    const pending = this.#byId.get(reqid);
    if (pending === undefined) return;
    this.#forget(reqid, pending);
    this.#d.finished(pending, reply);
  }

  nodeLost(pnn: number): void {
    for (const [reqid, pending] of this.#byId) {
      if (pending.pnn === pnn) this.finish(reqid, failure("node is disconnected"));
    }
  }

  clientGone(client: ControlClient): void {
    if (client.pendingControls === 0) return;
    for (const [reqid, pending] of this.#byId) {
      if (pending.client === client) this.#forget(reqid, pending);
    }
  }

  /** Clients are told; our own code ends with us. */
  close(): void {
    this.#stop();
    for (const [reqid, { client }] of this.#byId) {
      if (client !== undefined) this.finish(reqid, failure("the daemon ends"));
    }
    this.#byId.clear();
  }

  #forget(reqid: number, pending: PendingControl): void {
    this.#byId.delete(reqid);
    const { client } = pending;
    if (client === undefined) return;
    client.pendingControls -= 1;
    if (client.pendingControls === CONTROLS_PER_CLIENT_MAX - 1) client.link.release();
  }

  #expire(): void {
    if (this.#byId.size === 0) {
      this.#stop();
      return;
    }
    const nowMs = this.#d.clock.monotonicMs();
    for (const [reqid, pending] of this.#byId) {
      if (pending.deadlineMs > nowMs) continue;
      this.#d.statistics.timeouts.control += 1;
      this.finish(reqid, failure("ctdb_control timed out"));
    }
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
