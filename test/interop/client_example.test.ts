/** The program of docs/client.md, as it stands there, against a real node. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withCluster } from "../support/local_cluster.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

function program(): string {
  const page = readFileSync(join(PROJECT, "docs/client.md"), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(page)?.[1];
  if (code === undefined) throw new Error("docs/client.md has no program");
  return code.replaceAll('"ctdb-appliance/', `"${PROJECT}/`);
}

test("the program of docs/client.md runs", async () => {
  using directory = new TemporaryDirectory("client-example");
  const path = join(directory.path, "program.ts");
  writeFileSync(path, program());
  await withCluster({ nodes: 2 }, async (cluster) => {
    const run = (pnn: number) =>
      cluster.run(pnn, [process.execPath, "run", path], {
        env: { CTDB_SOCKET: cluster.socket(pnn) },
      });
    const first = await run(0);
    expect([first.stdout, first.stderr]).toEqual([
      "node 0 of 2\nmessage: hello\nruns: 1\nstarts: 1\n",
      "",
    ]);
    expect((await run(1)).stdout).toBe("node 1 of 2\nmessage: hello\nruns: 2\nstarts: 2\n");
    expect((await run(0)).stdout).toEndWith("runs: 3\nstarts: 3\n");
  });
}, 120_000);
