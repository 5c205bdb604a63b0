/**
 * How far those who listen to a srvid at some node are behind with what this node sends them.
 *
 * At our own node and on our link to another one it is known how much waits. What waits behind that link,
 * for the client of a daemon that takes more than its client does, that daemon tells: a PING with
 * PING_BACKLOG and the srvid, asked while the stream goes on. A node that does not know the flag answers
 * without data and is not asked again.
 */
import type { U64 } from "../../base/u64.ts";
import { EMPTY } from "../../wire/codec.ts";
import { PING_BACKLOG } from "../../wire/controls.ts";
import { Reader } from "../../wire/reader.ts";
import type { DatabaseHost } from "../host.ts";
import { BACKLOG_ANSWER_MS, BACKLOG_ASK_BYTES } from "./limits.ts";

export class Backlog {
  readonly #host: DatabaseHost;
  readonly #pnn: number;
  readonly #srvid: U64;
  readonly #bytesMax: number;
  /** Sent since the question to which an answer came last, or is awaited. */
  #sinceAsked = 0;
  #asking = false;
  /** What the other node said last. */
  #told = 0;
  #tells: boolean;

  constructor(host: DatabaseHost, pnn: number, srvid: U64, bytesMax: number) {
    this.#host = host;
    this.#pnn = pnn;
    this.#srvid = srvid;
    this.#bytesMax = bytesMax;
    this.#tells = pnn !== host.pnn;
  }

  sent(bytes: number): void {
    this.#sinceAsked += bytes;
  }

  /** More than the limit waits; who asks this looks again a little later. */
  get behind(): boolean {
    if (this.#host.queuedBytes(this.#pnn, this.#srvid) > this.#bytesMax) return true;
    if (!this.#tells) return false;
    const tooMuch = this.#told > this.#bytesMax;
    if (!this.#asking && (tooMuch || this.#sinceAsked >= BACKLOG_ASK_BYTES)) this.#ask();
    return tooMuch || (this.#asking && this.#sinceAsked > this.#bytesMax);
  }

  #ask(): void {
    this.#asking = true;
    this.#sinceAsked = 0;
    const more = { srvid: this.#srvid, flags: PING_BACKLOG };
    this.#host.requestControl(
      this.#pnn,
      "PING",
      EMPTY,
      BACKLOG_ANSWER_MS,
      (outcome) => {
        this.#asking = false;
        this.#tells = outcome.ok && outcome.value.data.length === 4;
        this.#told = outcome.ok && this.#tells ? new Reader(outcome.value.data).u32() : 0;
      },
      more,
    );
  }
}
