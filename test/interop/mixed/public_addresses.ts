/** Where the public addresses of a mixed cluster are, as every node tells; and how they move. */
import { until, when } from "../../support/until.ts";
import type { MixedCluster } from "./mixed_cluster.ts";

const MOVE_TIMEOUT_MS = 40_000;

/** Address → pnn, as the tool says on one node; -1 is nowhere. */
async function placesOn(mixed: MixedCluster, pnn: number): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await mixed.cluster.stockCtdb(pnn, "-X", "ip", "all");
  const lines = stdout.split("\n").slice(1);
  return new Map(
    lines.flatMap((line) => {
      const [, address, place] = line.split("|");
      return address === undefined || place === undefined ? [] : [[address, Number(place)]];
    }),
  );
}

/** Every node names the same place of every address, and it is one of `hosts`; each of them has its share. */
export async function addressesAreOn(
  mixed: MixedCluster,
  hosts: readonly number[],
  asked: readonly number[] = hosts,
): Promise<void> {
  let said: readonly string[] = [];
  await until(
    `the addresses are on nodes ${hosts}`,
    MOVE_TIMEOUT_MS,
    async () => {
      const places = await Promise.all(asked.map((pnn) => placesOn(mixed, pnn)));
      said = places.map((map) => [...map].map(([address, at]) => `${address}@${at}`).join(" "));
      const [first] = places;
      if (first === undefined || first.size === 0) return undefined;
      const used = [...first.values()];
      return when(
        said.every((text) => text === said[0]) &&
          used.every((pnn) => hosts.includes(pnn)) &&
          hosts.every((pnn) => used.includes(pnn)),
      );
    },
    () => `they say ${said.join(" / ")}`,
  );
}

/** A takeover run takes every address from a node that is disabled, and gives it its share when it is enabled. */
export async function addressesLeaveAndReturn(mixed: MixedCluster, pnn: number): Promise<void> {
  const order = async (word: string) => {
    const { code, stderr } = await mixed.cluster.stockCtdb(pnn, word);
    if (code !== 0) throw new Error(`ctdb ${word} on node ${pnn}: ${stderr}`);
  };
  await order("disable");
  await addressesAreOn(mixed, mixed.others(pnn), mixed.pnns);
  await order("enable");
  await addressesAreOn(mixed, mixed.pnns);
}
