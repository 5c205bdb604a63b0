/** What the night knows to be true, because it has done it: causes with their times, and the cluster as it was. */

/** Something that was done, and what follows from it. */
export interface TrueCause {
  readonly name: string;
  /** Microseconds since 1970, by the one clock of this machine. */
  readonly fromUs: number;
  readonly toUs: number;
  /** What each explanation of a ban, a recovery or a move in this time has to name. */
  readonly names: RegExp;
  /** Questions whose answers are known. */
  readonly questions: readonly TrueQuestion[];
}

export interface TrueQuestion {
  /** Of `ctdb why`. */
  readonly args: readonly string[];
  /** What the chain must say, in whatever order. */
  readonly says: readonly RegExp[];
}

/** What nodes said of the cluster at a moment at which nothing moved. */
export interface TrueState {
  readonly name: string;
  readonly atUs: number;
  readonly leader: number;
  readonly generation: number;
  /** Flags of each node, by words. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** Node by address; −1: none. */
  readonly addresses: Readonly<Record<string, number>>;
  /** Names. */
  readonly databases: readonly string[];
}

/** Where an explanation was not what was true. */
export interface Wrong {
  readonly node: number;
  readonly cause: string;
  readonly asked: string;
  readonly expected: string;
  readonly got: string;
}
