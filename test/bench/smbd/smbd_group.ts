/**
 * Debian's smbd on three hosts over our ctdbd, and on three others over Debian's. Both clusters stay up for
 * the whole run and are measured in short slices in turn; what the waiting one uses of the processor is shown.
 */
import { existsSync } from "node:fs";
import { netnsPossible, withNetnsCluster } from "../../netns/cluster.ts";
import { type Heading, KINDS, type Kind, kindsInTurn } from "../figures.ts";
import type { Group, Plan } from "../group.ts";
import { processorMicros, speed } from "../loads.ts";
import { addMetered, type Metered } from "../processor_time.ts";
import type { Results } from "../results.ts";
import { LoadClient } from "./load_client.ts";
import { SmbCluster } from "./smb_cluster.ts";
import { SMB_LOADS, type SmbLoad } from "./smb_loads.ts";

const ROUNDS = 6;
const HOSTS = 3;
const SLICES = 6;
const SLICE_MS = 500;
const IDLE_MS = 5000;
/** Otherwise smbd looks for each new name in other cases, in the whole directory, which is not ctdbd's work. */
const SAMBA_OPTIONS = ["case sensitive = yes", "preserve case = yes"];

/** Files in memory: making them on a disk takes the longer, the more others write there. */
const MEMORY = "/dev/shm";

type Clusters = Readonly<Record<Kind, SmbCluster>>;

export const smbdGroup: Group = {
  names: SMB_LOADS.flatMap((load) => rowsOf(load.name).map(({ name }) => name)),
  rounds: ROUNDS,
  missing: () =>
    netnsPossible() ? undefined : "expected root, and Debian's packages ctdb, samba and smbclient",
  async measure(plan, results) {
    if (existsSync(MEMORY)) process.env["TMPDIR"] ??= MEMORY;
    await withSmbCluster("ours", (ours) =>
      withSmbCluster("stock", (stock) => measure({ ours, stock }, plan, results)),
    );
  },
};

async function withSmbCluster<T>(kind: Kind, action: (cluster: SmbCluster) => Promise<T>) {
  process.stderr.write(`starting ${HOSTS} hosts: ${kind}\n`);
  return await withNetnsCluster({ hosts: HOSTS, kind, samba: SAMBA_OPTIONS }, async (cluster) => {
    const client = await LoadClient.start(cluster);
    try {
      return await action(new SmbCluster(cluster, client));
    } finally {
      client.end();
    }
  });
}

async function measure(clusters: Clusters, plan: Plan, results: Results): Promise<void> {
  const loads = SMB_LOADS.filter(({ name }) => rowsOf(name).some((row) => plan.wanted(row.name)));
  for (const kind of KINDS) {
    const used = await clusters[kind].processorTime(IDLE_MS);
    process.stderr.write(`${kind} while it waits: ${used.toFixed(1)} ms/s of processor time\n`);
  }
  process.stderr.write("warming up\n");
  for (const load of loads) await measureInTurn(clusters, load);
  for (let round = 1; round <= plan.rounds; round++) {
    process.stderr.write(`round ${round} of ${plan.rounds}\n`);
    for (const load of loads) {
      const metered = await measureInTurn(clusters, load);
      for (const row of rowsOf(load.name).filter(({ name }) => plan.wanted(name))) {
        for (const kind of KINDS) results.add(kind, row, row.value(metered[kind]));
      }
    }
  }
}

/** Slices so short that what else the machine does meanwhile falls on both kinds. */
async function measureInTurn(
  clusters: Clusters,
  load: SmbLoad,
): Promise<Readonly<Record<Kind, Metered>>> {
  const slices: Record<Kind, Metered[]> = { ours: [], stock: [] };
  for (let slice = 1; slice <= SLICES; slice++) {
    for (const kind of kindsInTurn(slice)) {
      slices[kind].push(await clusters[kind].measure(load, SLICE_MS));
    }
  }
  await Bun.sleep(load.restMs);
  return { ours: addMetered(slices.ours), stock: addMetered(slices.stock) };
}

interface MeteredRow extends Heading {
  value(metered: Metered): number;
}

function rowsOf(name: string): readonly MeteredRow[] {
  return [
    { name, unit: "1/s", better: "higher", value: (metered) => speed("1/s", metered) },
    {
      name: `${name}: processor time of ctdbd`,
      unit: "µs",
      better: "lower",
      value: processorMicros,
    },
    {
      name: `${name}: the same with programs that it started`,
      unit: "µs",
      better: "lower",
      value: ({ operations, processorMs, childrenMs }) =>
        ((processorMs + childrenMs) * 1000) / operations,
    },
  ];
}
