/**
 * What deleted records have left behind in the files of a cluster at rest: keys that some node has, but
 * of which none is data master with data.
 */
import type { SimNode } from "./node.ts";
import { readContent } from "./record_checker.ts";

export function leftovers(nodes: readonly SimNode[]): readonly string[] {
  /** database and key → the nodes that have a copy, or undefined when the record lives. */
  const holders = new Map<string, string[] | undefined>();
  for (const { pnn, databases } of nodes) {
    for (const { name, kind, tdb } of databases?.databases() ?? []) {
      if (kind !== "volatile") continue;
      for (const [key, { dmaster, rsn, data }] of readContent(tdb)) {
        const id = `${name} ${JSON.stringify(key)}`;
        if (dmaster === pnn && data?.length !== 0) holders.set(id, undefined);
        else if (!holders.has(id)) holders.set(id, []);
        holders.get(id)?.push(`node ${pnn} rsn ${rsn} of data master ${dmaster}`);
      }
    }
  }
  return [...holders].flatMap(([id, copies]) =>
    copies === undefined ? [] : [`${id}: ${copies.join(", ")}`],
  );
}
