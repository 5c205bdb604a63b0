/**
 * Transactions on persistent and replicated databases, as a tree: each writes its number into every key
 * of its group, over the number that it read there under its lock, its parent. A node's content
 * is the number that its keys hold.
 *
 * What must hold:
 * 1. All keys of a group hold the same number, wherever and whenever they can be read.
 * 2. When a commit is acknowledged every active node of that generation has it, or what follows it.
 * 3. A recovery takes the content of one of its nodes. An acknowledged transaction that one of
 *    them had is gone afterwards only if the content that won holds another acknowledged one that it
 *    did not have, or has been through a later recovery, without the node (as far as the clocks of
 *    nodes tell): both sides of a partition have worked. (Without a cluster lock nobody can say which
 *    side is the cluster: what one side acknowledges meanwhile may be lost to whatever the other has.)
 * 4. What a node had (a persistent database) when a commit was acknowledged or a recovery ended is
 *    there when it comes back, also after a loss of power.
 */
import type { Tdb } from "../../src/tdb/types.ts";
import { textBytes } from "../../src/wire/codec.ts";
import type { Judge } from "./violation.ts";

/** The databases, by their kinds. */
export const PERSISTENT = "persistent.tdb";
export const REPLICATED = "replicated.tdb";

export const GROUP_KEYS: readonly string[] = ["a", "b", "c", "d", "e"];
const GROUP_KEY_BYTES = GROUP_KEYS.map(textBytes);
const NOTHING = 0;
const HEADER_BYTES = 24;
/** Clocks of nodes are up to five seconds wrong, and a recovery takes a while. */
const CLOCKS_AGREE_MS = 12_000;
const NEVER = { number: 0, startedMs: 0 };

interface Transaction {
  readonly parent: number;
  acknowledged: boolean;
  /** Acknowledged on one of two sides that both worked: the other may win, or has won for now. */
  contested: boolean;
}

interface Brought {
  readonly content: number;
  /** Which recovery of the database the node went through last. */
  readonly recovered: RecoveryTime;
}

/** Later ones have higher numbers. */
interface RecoveryTime {
  readonly number: number;
  readonly startedMs: number;
}

interface Recovered extends RecoveryTime {
  readonly participants: Map<number, Brought>;
  result: number | undefined;
}

export class TransactionChecker {
  readonly #judge: Judge;
  readonly #nowMs: () => number;
  readonly #all: Transaction[] = [{ parent: NOTHING, acknowledged: false, contested: false }];
  readonly #recoveries = new Map<string, Recovered>();
  /** What a node must still have, by node and database. */
  readonly #held = new Map<string, number>();
  readonly #lastRecovered = new Map<string, RecoveryTime>();
  readonly #replacing = new Map<string, number>();
  acknowledged = 0;
  recovered = 0;

  /** A node cannot tell from its clock which of two recoveries was later. */
  clocksJumped = false;

  constructor(judge: Judge, nowMs: () => number) {
    this.#judge = judge;
    this.#nowMs = nowMs;
  }

  begun(parent: number): number {
    this.#all.push({ parent, acknowledged: false, contested: false });
    return this.#all.length - 1;
  }

  /** `nodes`: the content of those that are active in the generation; undefined where it is locked. */
  acknowledge(
    database: string,
    id: number,
    nodes: readonly { readonly pnn: number; readonly content: number | undefined }[],
    isContested: boolean,
  ): void {
    const transaction = this.#all[id];
    if (transaction === undefined) throw new Error(`no transaction ${id}`);
    if (isContested) transaction.contested = true;
    else transaction.acknowledged = true;
    this.acknowledged += 1;
    for (const { pnn, content } of nodes) {
      if (content === undefined) continue;
      if (!this.#descends(content, id)) {
        this.#judge.violated(
          `transaction ${id} on ${database} was acknowledged, and node ${pnn} has ${content}`,
        );
      }
      this.#held.set(`${pnn} ${database}`, content);
    }
  }

  /** A node takes part in a recovery with this content. */
  joined(pnn: number, database: string, generation: number, content: number): void {
    const copy = `${pnn} ${database}`;
    const held = this.#held.get(copy) ?? NOTHING;
    const replaced = this.#replacing.get(copy);
    const isReplaced = replaced !== undefined && this.#descends(content, replaced);
    if (database === PERSISTENT && !this.#descends(content, held) && !isReplaced) {
      this.#judge.violated(`node ${pnn} had ${held} of ${database} on disk and has ${content} now`);
    }
    this.#held.set(copy, content);
    const key = `${generation} ${database}`;
    const recovery = this.#recoveries.get(key) ?? {
      number: this.#recoveries.size + 1,
      startedMs: this.#nowMs(),
      participants: new Map(),
      result: undefined,
    };
    recovery.participants.set(pnn, { content, recovered: this.#lastRecovered.get(copy) ?? NEVER });
    this.#recoveries.set(key, recovery);
  }

  /** The commit of a recovery writes this: from now on the node has one or the other. */
  replaces(pnn: number, database: string, content: number): void {
    this.#replacing.set(`${pnn} ${database}`, content);
  }

  thawed(pnn: number, database: string, generation: number, content: number): void {
    this.#held.set(`${pnn} ${database}`, content);
    const recovery = this.#recoveries.get(`${generation} ${database}`);
    if (recovery === undefined) return;
    this.#lastRecovered.set(`${pnn} ${database}`, recovery);
    if (recovery.result === undefined) {
      this.recovered += 1;
      recovery.result = content;
      this.#judgeResult(database, [...recovery.participants.values()], content);
    } else if (recovery.result !== content) {
      this.#judge.violated(
        `node ${pnn} thaws ${database} with ${content}, others with ${recovery.result}`,
      );
    }
  }

  #judgeResult(database: string, participants: readonly Brought[], result: number): void {
    const winners = participants.filter(({ content }) => content === result);
    if (winners.length === 0) {
      const contents = participants.map(({ content }) => content);
      this.#judge.violated(
        `a recovery made ${result} of ${database} out of ${contents.join(", ")}`,
      );
    }
    const newest = winners
      .map(({ recovered }) => recovered)
      .reduce((one, other) => (other.number > one.number ? other : one), NEVER);
    for (const { content, recovered } of participants) {
      if (this.#descends(result, content)) continue;
      const others = this.#lineage(result).some((id) => this.#isNewTo(id, content));
      const won = others || recovered.number < newest.number || this.#isUnclear(recovered, newest);
      for (const id of this.#lineage(content)) {
        const transaction = this.#all[id];
        if (transaction?.acknowledged !== true || this.#descends(result, id)) continue;
        if (won) {
          transaction.acknowledged = false;
          // A node that was away may bring it back, with more on top.
          transaction.contested = true;
        } else {
          this.#judge.violated(
            `the acknowledged transaction ${id} on ${database} is lost: a recovery took ${result} instead of ${content}`,
          );
        }
      }
    }
  }

  /** The winner was earlier, but nobody can know. */
  #isUnclear(loser: RecoveryTime, winner: RecoveryTime): boolean {
    if (loser.number === winner.number) return false;
    return this.clocksJumped || loser.startedMs - winner.startedMs < CLOCKS_AGREE_MS;
  }

  #isNewTo(id: number, content: number): boolean {
    const transaction = this.#all[id];
    const counts = transaction?.acknowledged === true || transaction?.contested === true;
    return counts && !this.#descends(content, id);
  }

  /** Content that a client read under its lock, or a checker in a quiet cluster. */
  oneContent(where: string, contents: readonly number[]): number {
    const [first = NOTHING] = contents;
    if (contents.some((content) => content !== first)) {
      this.#judge.violated(`torn transaction: ${where} holds ${contents.join(", ")}`);
    }
    return first;
  }

  #lineage(content: number): number[] {
    const line: number[] = [];
    for (let id = content; id !== NOTHING; id = this.#all[id]?.parent ?? NOTHING) line.push(id);
    return line;
  }

  /** Is `ancestor` the content, or what it was made from? A parent has the lower number. */
  #descends(content: number, ancestor: number): boolean {
    let id = content;
    while (id > ancestor) id = this.#all[id]?.parent ?? NOTHING;
    return id === ancestor;
  }
}

/** The number in each key of the group; undefined while somebody holds a lock. */
export function groupContents(tdb: Tdb): readonly number[] | undefined {
  const contents: number[] = [];
  for (const key of GROUP_KEY_BYTES) {
    const fetched = tdb.fetch(key);
    if (!fetched.ok) return undefined;
    contents.push(numberIn(fetched.value, HEADER_BYTES));
  }
  return contents;
}

export function numberIn(data: Uint8Array | undefined, at = 0): number {
  if (data === undefined || data.length < at + 4) return NOTHING;
  const high = ((data[at] as number) << 24) | ((data[at + 1] as number) << 16);
  return (high | ((data[at + 2] as number) << 8) | (data[at + 3] as number)) >>> 0;
}
