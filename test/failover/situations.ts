/** Situations of a cluster in which public addresses are allocated, from a seed. */
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { SeededRandom } from "../sim/random.ts";

export const NODES_MAX = 16;
export const ADDRESSES_MAX = 200;
const RUNNING = 5;
const STARTING = 4;

export interface SituationAddress {
  readonly address: string;
  /** Who hosts it; −1 for nobody. */
  readonly pnn: number;
  /** Who knows it; all nodes when left out. */
  readonly knownOn: readonly number[] | undefined;
}

export interface Situation {
  readonly flags: readonly number[];
  readonly runstates: readonly number[];
  readonly addresses: readonly SituationAddress[];
  readonly algorithm: "lcp2" | "nondet" | "det";
  readonly noTakeover: boolean;
  readonly noFailback: boolean;
  readonly rebalance: readonly number[];
  readonly homeNodes: string | undefined;
}

const UNABLE = [
  NODE_FLAGS.UNHEALTHY,
  NODE_FLAGS.PERMANENTLY_DISABLED,
  NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY,
  NODE_FLAGS.BANNED,
  NODE_FLAGS.STOPPED,
];

export function situationOf(seed: number): Situation {
  const random = new SeededRandom(seed);
  const nodeCount = 1 + random.below(NODES_MAX);
  const sickness = random.pick([0, 0.2, 0.5, 0.9]);
  const pnns = Array.from({ length: nodeCount }, (_, pnn) => pnn);
  const flags = pnns.map(() => (random.chance(sickness) ? random.pick(UNABLE) : 0));
  const startup = random.chance(0.2);
  const runstates = pnns.map(() => (startup && random.chance(0.3) ? STARTING : RUNNING));
  const addresses = addressesOf(random, nodeCount);
  const algorithm = random.pick(["lcp2", "lcp2", "lcp2", "nondet", "det"] as const);
  const homes = pnns.map(() => {
    const { address } = random.pick(addresses);
    return `${address}\t${random.below(nodeCount + 1)}\n`;
  });
  return {
    flags,
    runstates,
    addresses,
    algorithm,
    noTakeover: random.chance(0.05),
    noFailback: random.chance(0.4),
    rebalance: random.chance(0.5) ? pnns.filter(() => random.chance(0.4)) : [],
    homeNodes: algorithm === "det" && random.chance(0.5) ? homes.join("") : undefined,
  };
}

function addressesOf(random: SeededRandom, nodeCount: number): SituationAddress[] {
  const count = 1 + random.below(random.pick([5, 30, ADDRESSES_MAX]));
  const networks = Array.from({ length: 1 + random.below(4) }, () => networkOf(random));
  const addresses = new Set<string>();
  for (let i = 0; i < count; i++) addresses.add(random.pick(networks)(i));
  // All on one node, evenly, at random, on the first nodes only, or nowhere.
  const places = [
    () => 0,
    (index: number) => index % nodeCount,
    () => random.below(nodeCount + 1) - 1,
    () => random.below(1 + Math.ceil(nodeCount / 2)) - 1,
    () => -1,
  ];
  const place = random.pick(places);
  const groups = 1 + random.below(Math.min(nodeCount, 3));
  const isSplit = random.chance(0.3);
  return [...addresses].map((address, index) => {
    const all = Array.from({ length: nodeCount }, (_, pnn) => pnn);
    const inGroup = all.filter((pnn) => pnn % groups === index % groups || random.chance(0.1));
    return { address, pnn: place(index), knownOn: isSplit ? inGroup : undefined };
  });
}

function networkOf(random: SeededRandom): (index: number) => string {
  const host = 1 + random.below(50);
  const net = random.below(256);
  if (random.chance(0.25)) {
    const prefix = random.pick(["fd00", "2001:db8:1", "fe80::1"]);
    const middle = prefix.includes("::") ? "" : `:${net.toString(16)}:`;
    return (index) => `${prefix}${middle}:${(host + index).toString(16)}`;
  }
  const [a, b] = random.pick([
    [10, random.below(256)],
    [192, 168],
    [172, 16 + random.below(16)],
  ] as const);
  const step = random.pick([1, 1, 3, 7]);
  return (index) => {
    const at = host + index * step;
    return `${a}.${b}.${(net + (at >> 8)) % 256}.${at & 0xff}`;
  };
}

/** The situation as the tests of the original take it from standard input. */
export function situationText({ addresses }: Situation): string {
  return addresses
    .map(({ address, pnn, knownOn }) =>
      knownOn === undefined ? `${address} ${pnn}\n` : `${address} ${pnn} ${knownOn.join(",")}\n`,
    )
    .join("");
}
