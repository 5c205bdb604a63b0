/**
 * What SMB clients do to the nodes: each operation opens a file and closes it again, which stock smbd turns into
 * work on the records of its locking, open-file and leases databases. Both sides of the benchmark read this table.
 */
export interface SmbLoad {
  readonly name: string;
  /** Clients at the same time; each has the nodes that it works through in turn. */
  readonly clients: readonly (readonly number[])[];
  /** Files are made, not opened: no name comes twice. */
  readonly creates: boolean;
  /** The file of a client's operation. */
  file(client: number, turn: number): string;
  /** Of those that are not created, all. */
  readonly files: readonly string[];
  /** What this load leaves to do for later, and must be no part of the next figure. */
  readonly restMs: number;
}

const SIX = [[0], [1], [2], [0], [1], [2]] as const;
const SHARED = 5;
/** The next vacuum (VacuumInterval, 10 s) removes the records of the new files. */
const VACUUM_MS = 11_000;

export const SMB_LOADS: readonly SmbLoad[] = [
  {
    name: "smbd: open/close of one file through one node",
    clients: [[0]],
    creates: false,
    file: () => "one",
    files: ["one"],
    restMs: 0,
  },
  {
    name: "smbd: open/close of one file through two nodes in turn",
    clients: [[0, 1]],
    creates: false,
    file: () => "one",
    files: ["one"],
    restMs: 0,
  },
  {
    name: "smbd: six clients, a file each",
    clients: SIX,
    creates: false,
    file: (client) => `own${client}`,
    files: numbered("own", SIX.length),
    restMs: 0,
  },
  {
    name: "smbd: six clients, five shared files, three nodes",
    clients: SIX,
    creates: false,
    file: (client, turn) => `shared${scattered(client, turn) % SHARED}`,
    files: numbered("shared", SHARED),
    restMs: 0,
  },
  {
    name: "smbd: new files through one node",
    clients: [[0]],
    creates: true,
    file: (_, turn) => `new${turn}`,
    files: [],
    restMs: VACUUM_MS,
  },
];

function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${name}${i}`);
}

/** A number that looks random and is the same in each run (Knuth's multiplicative hash). */
function scattered(client: number, turn: number): number {
  return Math.imul(turn * SIX.length + client + 1, 0x9e3779b1) >>> 16;
}
