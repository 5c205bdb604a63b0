/** `addip --write` and `delip --write` with a real ctdbd and a real file: what they write is what the daemon reads. */
import { expect, test } from "bun:test";
import { chmodSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";

const LIMIT_MS = 60_000;
const STEP_MS = 20_000;
const TEXT = "# front\n10.255.1.1/24   nope0 ,nope1\n10.255.1.2/24 nope0";

test(
  "ctdb addip --write and delip --write change the running node and its file",
  () =>
    withCluster({ nodes: 1, startNothing: true }, async (cluster) => {
      const [path, target] = ["public_addresses", "shared"].map((name) =>
        join(cluster.base(0), name),
      ) as [string, string];
      writeFileSync(path, TEXT);
      renameSync(path, target);
      symlinkSync("shared", path);
      chmodSync(target, 0o640);
      await cluster.start();
      await cluster.waitReady();
      const known = async () => {
        const { stdout } = await cluster.ctdb(0, "-X", "ip");
        return stdout
          .trim()
          .split("\n")
          .slice(1)
          .map((row) => row.split("|")[1] ?? "");
      };
      const untilKnown = (addresses: readonly string[]) =>
        until("the node knows these addresses", STEP_MS, async () =>
          when((await known()).sort().join() === [...addresses].sort().join()),
        );
      const nothing = { code: 0, stdout: "", stderr: "" };
      const added = await cluster.ctdb(0, "addip", "FD00::0:7/64", "lo", "--write");
      expect(added).toMatchObject(nothing);
      expect(await cluster.ctdb(0, "delip", "10.255.1.2", "--write")).toMatchObject(nothing);
      await untilKnown(["10.255.1.1", "fd00::7"]);
      const text = "# front\n10.255.1.1/24   nope0 ,nope1\nfd00::7/64 lo\n";
      expect([readFileSync(target, "latin1"), statSync(target).mode & 0o777]).toEqual([
        text,
        0o640,
      ]);
      // What was written is what the daemon reads.
      expect((await cluster.ctdb(0, "reloadips")).code).toBe(0);
      await untilKnown(["10.255.1.1", "fd00::7"]);
      renameSync(target, `${target}.gone`);
      const failed = await cluster.ctdb(0, "delip", "fd00::7", "--write");
      expect(failed).toMatchObject({ code: 1, stdout: "" });
      expect(failed.stderr).toContain("fd00::7 was deleted from running node 0, but");
      expect(failed.stderr).toContain(`realpath "${path}": ENOENT`);
      await untilKnown(["10.255.1.1"]);
    }),
  LIMIT_MS,
);
