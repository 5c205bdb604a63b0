/**
 * The last leader broadcast. Tools listen for the next one to learn who leads, which takes up to a
 * second; a client that registers for it here is shown the last one at once, if it is fresh.
 *
 * A broadcast of "no leader is known" empties the cache: whoever asks during an election waits for its
 * outcome, as with the original.
 */
import type { Clock } from "../../platform/types/time.ts";
import { SRVID } from "../../wire/constants.ts";
import { type PacketView, UNKNOWN_PNN } from "../../wire/packet.ts";
import { REQ_MESSAGE_AT } from "../../wire/packets/layouts.ts";
import { LEADER_MESSAGE_MS, LEADER_SILENT_MS } from "./limits.ts";

export class LeaderCache {
  readonly #clock: Clock;
  #packet: PacketView | undefined;
  #leader = UNKNOWN_PNN;
  #atMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Looks at every message that is delivered on this node. */
  see(hi: number, lo: number, packet: PacketView): void {
    if (hi !== SRVID.LEADER.hi || lo !== SRVID.LEADER.lo) return;
    if (packet.u32(REQ_MESSAGE_AT.DATA_LENGTH) !== 4) return;
    const leader = packet.u32(REQ_MESSAGE_AT.DATA);
    this.#leader = leader;
    this.#packet = leader === UNKNOWN_PNN ? undefined : packet.copy();
    this.#atMs = this.#clock.monotonicMs();
  }

  /** The broadcast that a new listener of this srvid is shown. */
  fresh(hi: number, lo: number): PacketView | undefined {
    if (hi !== SRVID.LEADER.hi || lo !== SRVID.LEADER.lo) return undefined;
    const ageMs = this.#clock.monotonicMs() - this.#atMs;
    return ageMs < LEADER_MESSAGE_MS ? this.#packet : undefined;
  }

  /** The leader and how long ago it said so, however long that is; UNKNOWN_PNN when none is known. */
  last(): { readonly leader: number; readonly ageMs: number } {
    const leader = this.#packet === undefined ? UNKNOWN_PNN : this.#leader;
    return { leader, ageMs: this.#clock.monotonicMs() - this.#atMs };
  }

  /** The leader, when it said so within the time after which an election would begin; otherwise UNKNOWN_PNN. */
  recent(): number {
    const { leader, ageMs } = this.last();
    return ageMs < LEADER_SILENT_MS ? leader : UNKNOWN_PNN;
  }

  nodeLost(pnn: number): void {
    if (this.#leader === pnn) this.#packet = undefined;
  }
}
