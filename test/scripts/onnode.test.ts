/** onnode where it goes its own way: numbers are ctdbd's, names with a hyphen, signals. (Beside Debian's: test/interop.) */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { until, when } from "../support/until.ts";
import { failedWith, ScriptBench, saying } from "./script_bench.ts";

const ONNODE = join(PROJECT, "scripts/bin/onnode");
const NODES = "10.0.0.1\n\n#10.0.0.2\n  [fd00::3]\t\n10.0.0.4 # last\n";
const WAIT_MS = 10_000;

function onnodeBench(): ScriptBench {
  const bench = new ScriptBench();
  bench.write("base/nodes", NODES);
  bench.standIn("ssh", 'echo "ssh $*"');
  return bench;
}

test("onnode numbers nodes as ctdbd does: empty lines do not count, deleted nodes do", async () => {
  using bench = onnodeBench();
  expect(await bench.run(ONNODE, "-q", "2-3", "true")).toEqual(
    saying("ssh -n fd00::3 true", "ssh -n 10.0.0.4 true"),
  );
  expect(await bench.run(ONNODE, "1", "true")).toEqual(
    failedWith('onnode: "node 1" does not exist'),
  );
});

test("onnode -n takes a name with a hyphen", async () => {
  using bench = onnodeBench();
  expect(await bench.run(ONNODE, "-n", "node-a", "true")).toEqual(saying("ssh -n node-a true"));
});

test("onnode gives EXTRA_SSH_OPTS to ssh, and to no other program", async () => {
  using bench = onnodeBench();
  bench.environment["EXTRA_SSH_OPTS"] = "-o ConnectTimeout=5";
  expect(await bench.run(ONNODE, "0", "true")).toEqual(
    saying("ssh -n -o ConnectTimeout=5 10.0.0.1 true"),
  );
  bench.standIn("rsh", 'echo "rsh $*"');
  bench.write("base/onnode.conf", "ONNODE_SSH=rsh\n");
  expect(await bench.run(ONNODE, "0", "true")).toEqual(saying("rsh -n 10.0.0.1 true"));
});

test("onnode takes no warning of the tool for a node", async () => {
  using bench = onnodeBench();
  bench.standIn(
    "ctdb",
    "echo beware >&2; echo '|Node|IP|Off|'; echo '|0|10.0.0.1|0|'; echo '|3|10.0.0.4|1|'",
  );
  expect(await bench.run(ONNODE, "-q", "ok", "true")).toEqual(saying("ssh -n 10.0.0.1 true"));
});

test("onnode any without a ctdbd says so", async () => {
  using bench = onnodeBench();
  bench.standIn("ssh", "exit 1");
  expect(await bench.run(ONNODE, "any", "true")).toEqual(
    failedWith("onnode: no node has a ctdbd that answers"),
  );
});

for (const options of ["-p", "-pq"]) {
  test(`onnode ${options} ends what runs on the nodes when it is terminated`, async () => {
    using bench = onnodeBench();
    const running = (host: string) => bench.path("run", host);
    bench.standIn(
      "ssh",
      `trap 'rm "${running("$2")}"; kill $!; exit 1' TERM; sleep 60 & : >"${running("$2")}"; wait`,
    );
    const onnode = Bun.spawn([ONNODE, options, "0,3", "true"], {
      env: { ...bench.environment, TMPDIR: bench.path("state") },
      stdout: "pipe",
      stderr: "pipe",
    });
    const hosts = ["10.0.0.1", "10.0.0.4"];
    const runs = () => hosts.filter((host) => existsSync(running(host)));
    await until("the command runs on both nodes", WAIT_MS, () => when(runs().length === 2));
    onnode.kill("SIGTERM");
    expect(await onnode.exited).toBe(143);
    await until("it runs no more", WAIT_MS, () => when(runs().length === 0));
    expect(readdirSync(bench.path("state"))).toEqual([]);
  });
}
