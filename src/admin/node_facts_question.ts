/** Asks the own ctdbd for NODE_FACTS (wire/node_facts.ts). One question at a time; those who ask meanwhile share it. */
import { err, type Result } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Random, Timers } from "../platform/types/time.ts";
import { SRVID } from "../wire/constants.ts";
import { decodeNodeFacts, encodeNodeFactsRequest, type NodeFacts } from "../wire/node_facts.ts";
import { NODE_FACTS_MS_MAX } from "./limits.ts";

export type AskedClient = Pick<CtdbClient, "pnn" | "registerSrvid" | "sendMessage" | "connected">;

export class NodeFactsQuestion {
  readonly #timers: Timers;
  readonly #answer: U64;
  /** The connection that listens for answers. */
  #client: AskedClient | undefined;
  #lastId = 0;
  #waiting: ((facts: Result<NodeFacts>) => void) | undefined;
  #asking: Promise<Result<NodeFacts>> | undefined;

  constructor(timers: Timers, random: Random) {
    this.#timers = timers;
    this.#answer = u64(SRVID.OUR_ANSWERS.hi, random.u32());
  }

  /** On a new connection. */
  async listen(client: AskedClient): Promise<void> {
    const listening = await client.registerSrvid(this.#answer, (data, srcnode) => {
      if (srcnode === client.pnn) this.#receive(data);
    });
    if (listening.ok) this.#client = client;
  }

  ask(): Promise<Result<NodeFacts>> {
    const client = this.#client;
    if (client?.connected !== true) return Promise.resolve(err("ctdbd is not connected"));
    this.#asking ??= this.#askNow(client).finally(() => {
      this.#asking = undefined;
      this.#waiting = undefined;
    });
    return this.#asking;
  }

  #askNow(client: AskedClient): Promise<Result<NodeFacts>> {
    this.#lastId += 1;
    const request = encodeNodeFactsRequest({ id: this.#lastId, answer: this.#answer });
    return new Promise((resolve) => {
      const deadline = this.#timers.after(NODE_FACTS_MS_MAX, () =>
        resolve(err("ctdbd tells no facts of its own")),
      );
      this.#waiting = (facts) => {
        deadline.cancel();
        resolve(facts);
      };
      client.sendMessage(client.pnn, SRVID.NODE_FACTS, request);
    });
  }

  #receive(data: Uint8Array): void {
    const facts = decodeNodeFacts(data);
    // A late answer to an earlier question.
    if (facts.ok && facts.value.id !== this.#lastId) return;
    this.#waiting?.(facts);
  }
}
