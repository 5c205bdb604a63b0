/**
 * `ctdb wait`: ends when a condition holds, or when its time is over.
 *
 * Invariants:
 * 1. A daemon that is not there, hangs or starts again while we wait is waited for like everything else.
 * 2. What keeps the condition from holding is said at the end, as it is then.
 */
import type { CtdbClient } from "../../client/types.ts";
import { decodeExact, u32Codec } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { OfflineCommand, OfflineContext } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { trySession } from "../open_session.ts";
import type { Seen, WaitFacts } from "../schemas/waiting.ts";
import { toolPaths } from "../tool_paths.ts";
import { type Condition, parseCondition } from "../wait/conditions.ts";
import { Look, NOTHING_SEEN } from "../wait/look.ts";

const DEFAULT_TIMEOUT_SEC = 60;
/** Where nothing tells of changes, and while there is no daemon. */
const POLL_MS = 250;
/** Where messages tell of changes: one may be lost. */
const LOOK_ANYWAY_MS = 1000;
/** What an answer may take when the time is nearly over: what is said at the end is seen then, not that nobody answered. */
const LAST_LOOK_MS = 1000;
/** Messages come in bursts. */
const BURST_MS = 20;

export const wait: OfflineCommand = (context, args) =>
  new Waiting(context, parseCondition(args)).run();

class Waiting {
  readonly #context: OfflineContext;
  readonly #condition: Condition;
  readonly #startMs: number;
  readonly #limitMs: number;
  #client: CtdbClient | undefined;
  #leader: number | undefined;
  #seen: Seen = NOTHING_SEEN;
  #told = Promise.withResolvers<void>();

  constructor(context: OfflineContext, condition: Condition) {
    const { host, options } = context;
    this.#context = context;
    this.#condition = condition;
    this.#startMs = host.clock.monotonicMs();
    const limits = [options.timeout ?? DEFAULT_TIMEOUT_SEC, options.maxruntime];
    this.#limitMs = Math.min(
      ...limits.map((sec) => (sec === 0 ? Number.POSITIVE_INFINITY : sec * 1000)),
    );
  }

  async run(): Promise<number> {
    const { host, options } = this.#context;
    let said: string | undefined;
    try {
      for (;;) {
        this.#told = Promise.withResolvers();
        const missing = await this.#whatIsMissing();
        if (missing === undefined) return this.#end(undefined);
        if (options.verbose && missing !== said) host.err(`Waiting: ${missing}\n`);
        said = missing;
        const leftMs = this.#leftMs();
        if (leftMs <= 0) return this.#end(missing);
        const { isPolled } = this.#condition;
        const poll = isPolled || this.#client === undefined ? POLL_MS : LOOK_ANYWAY_MS;
        await Promise.race([this.#told.promise, this.#pause(Math.min(poll, leftMs))]);
      }
    } finally {
      this.#client?.close();
    }
  }

  #leftMs(): number {
    return this.#limitMs - this.#waitedMs();
  }

  #waitedMs(): number {
    return this.#context.host.clock.monotonicMs() - this.#startMs;
  }

  #end(missing: string | undefined): number {
    const { host, options } = this.#context;
    const condition = this.#condition.text;
    const waited = Number((this.#waitedMs() / 1000).toFixed(3));
    if (options.json) {
      const seen = this.#seen;
      const holds = missing === undefined;
      const facts = { condition, holds, waited_seconds: waited, missing: missing ?? null, seen };
      answerFacts(host, facts satisfies WaitFacts);
    }
    if (missing !== undefined) {
      const message = `Gave up after ${waited.toFixed(1)} s of waiting for "${condition}": ${missing}`;
      throw new CommandFailure(1, message, "timeout");
    }
    if (!options.json) host.out(`${condition} after ${waited.toFixed(1)} s\n`);
    return 0;
  }

  async #whatIsMissing(): Promise<string | undefined> {
    const { timelimit } = this.#context.options;
    const limitMs = Math.min(timelimit * 1000, Math.max(LAST_LOOK_MS, this.#leftMs()));
    this.#seen = NOTHING_SEEN;
    const client = this.#client ?? (await this.#connect(limitMs));
    if (typeof client === "string") return client;
    const look = new Look(client, limitMs, this.#leader);
    const missing = await this.#condition.check(look);
    this.#seen = look.seen;
    return client.connected ? missing : "the daemon has closed the connection";
  }

  /** Why there is no connection. */
  async #connect(timeoutMs: number): Promise<CtdbClient | string> {
    const { host, options } = this.#context;
    const opened = await trySession(host, options, timeoutMs);
    if (!opened.ok) {
      const { cause, reason } = opened.error;
      return `no daemon answers at "${toolPaths(host).socket}" (${cause?.code ?? reason})`;
    }
    const { client } = opened.value;
    this.#client = client;
    this.#leader = undefined;
    client.onDisconnect(() => {
      this.#client = undefined;
      this.#leader = undefined;
      this.#told.resolve();
    });
    // A registration that fails costs nothing but time: the condition is looked at anyway.
    await client.registerSrvid(SRVID.LEADER, (data) => this.#leaderHeard(data));
    for (const srvid of this.#condition.events)
      await client.registerSrvid(srvid, () => this.#tell());
    return client;
  }

  #leaderHeard(data: Uint8Array): void {
    const pnn = decodeExact(u32Codec, data);
    if (!pnn.ok) return;
    const leader = pnn.value === UNKNOWN_PNN ? undefined : pnn.value;
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#tell();
  }

  #tell(): void {
    const { resolve } = this.#told;
    this.#context.host.timers.after(BURST_MS, resolve);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#context.host.timers.after(delayMs, resolve);
    });
  }
}
