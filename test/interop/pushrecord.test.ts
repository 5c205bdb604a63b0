/** `ctdb pushrecord` on our nodes and a stock one, which does not know the control and keeps serving. */
import { expect, test } from "bun:test";
import { stockInstalled, withCluster } from "../support/local_cluster.ts";
import { until } from "../support/until.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 120_000;

interop(
  "pushrecord writes a record into the files of our nodes, the data master's being the newest",
  async () => {
    await withCluster({ nodes: 3, stock: [2] }, async (cluster) => {
      const name = "pushed.tdb";
      expect((await cluster.ctdb(0, "attach", name)).code).toBe(0);
      expect((await cluster.ctdb(1, "writekey", name, "key", "old")).code).toBe(0);
      expect(await cluster.ctdb(0, "pushrecord", name, "key", "new")).toEqual({
        code: 0,
        stdout: "",
        stderr: "",
      });
      const copy = async (pnn: number) => {
        const { stdout } = await cluster.ctdb(pnn, "cattdb", name);
        return {
          value: /^data\(\d+\) = "(.*)"$/m.exec(stdout)?.[1],
          rsn: Number(/^rsn: (\d+)$/m.exec(stdout)?.[1]),
          dmaster: Number(/^dmaster: (\d+)$/m.exec(stdout)?.[1]),
          kept: stdout.includes("MIGRATED_WITH_DATA"),
        };
      };
      const other = await until("the other node has the new value", LIMIT_MS, async () => {
        const seen = await copy(1);
        return seen.value === "new" ? seen : undefined;
      });
      const own = await copy(0);
      expect(own).toMatchObject({ value: "new", dmaster: 0, kept: true });
      expect(other).toEqual({ ...own, rsn: own.rsn - 1 });
      for (const pnn of cluster.pnns) {
        const read = await cluster.stockCtdb(pnn, "readkey", name, "key");
        expect({ pnn, ...read }).toEqual({
          pnn,
          code: 0,
          stdout: "Data: size:3 ptr:[new]\n",
          stderr: "",
        });
      }
      expect((await cluster.ctdb(0, "pushrecord", "absent.tdb", "key", "new")).code).toBe(1);
    });
  },
  LIMIT_MS,
);
