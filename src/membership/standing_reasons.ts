/**
 * Since when and why nodes have the flags that they have, and why this node recovers: for `ctdb status --why`. The
 * journal has the whole past; this is what holds now, kept also where there is no journal.
 *
 * Invariant: a flag that a node does not have has no reason.
 */
import { textBytesUpTo } from "../base/byte_text.ts";
import type { Clock } from "../platform/types/time.ts";
import { bytesText } from "../wire/codec.ts";
import { FLAGS_BY_WORD } from "../wire/flag_words.ts";
import { STANDING_FLAGS_MAX, STANDING_REASON_BYTES_MAX } from "../wire/limits.ts";
import {
  AGE_MS_MAX,
  type DatabasesStanding,
  type FlagReason,
  type NodeStanding,
  STANDING_MAGIC,
} from "../wire/structs/cluster.ts";
import type { FlagsChanged, NodeEntry } from "./node_table.ts";

interface Since {
  readonly atMs: number;
  readonly reason: string;
}

export class StandingReasons {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #startedMs: number;
  /** By pnn, then by flag. */
  readonly #flags = new Map<number, Map<number, Since>>();
  #recovery: Since | undefined;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    // Databases are frozen from the beginning.
    this.recoveryModeChanged("no recovery has ended since this node started");
  }

  changed({ target, before, after, reason }: Omit<FlagsChanged, "by">): void {
    const known = this.#flags.get(target) ?? new Map<number, Since>();
    this.#flags.set(target, known);
    for (const [, flag] of FLAGS_BY_WORD) {
      if ((after & flag) === 0) known.delete(flag);
      else if ((before & flag) === 0) known.set(flag, { atMs: this.#clock.monotonicMs(), reason });
    }
  }

  /** The reason, while a recovery is wanted or runs. */
  recoveryModeChanged(reason: string | undefined): void {
    this.#recovery = reason === undefined ? undefined : { atMs: this.#clock.monotonicMs(), reason };
  }

  toWire(
    nodes: readonly Pick<NodeEntry, "pnn" | "flags">[],
    databases: DatabasesStanding,
  ): NodeStanding {
    const nowMs = this.#clock.monotonicMs();
    const age = (atMs: number) => Math.min(Math.max(0, Math.floor(nowMs - atMs)), AGE_MS_MAX);
    const atStart = { atMs: this.#startedMs, reason: "so it has been since this node started" };
    const flags: FlagReason[] = nodes.flatMap((node) =>
      FLAGS_BY_WORD.filter(([, flag]) => (node.flags & flag) !== 0).map(([, flag]) => {
        const { atMs, reason } = this.#flags.get(node.pnn)?.get(flag) ?? atStart;
        return { pnn: node.pnn, flag, age_ms: age(atMs), reason: cut(reason) };
      }),
    );
    return {
      magic: STANDING_MAGIC,
      flags: flags.slice(0, STANDING_FLAGS_MAX),
      recovery_age_ms: this.#recovery === undefined ? 0 : age(this.#recovery.atMs),
      recovery_reason: cut(this.#recovery?.reason ?? ""),
      ...databases,
    };
  }
}

function cut(text: string): string {
  return bytesText(textBytesUpTo(text, STANDING_REASON_BYTES_MAX));
}
