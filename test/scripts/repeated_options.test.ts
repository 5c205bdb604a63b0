/** Options of the package's scripts that are given twice: flags are set, of values the last one counts. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { ScriptBench, saying } from "./script_bench.ts";

test("onnode takes each option twice", async () => {
  using bench = new ScriptBench();
  bench.write("base/nodes", "10.0.0.1\n10.0.0.2\n");
  bench.write("base/others", "10.0.9.1\n");
  bench.standIn("ssh", 'echo "ssh $*"');
  const onnode = join(PROJECT, "scripts/bin/onnode");
  const options = ["-q", "-q", "-pp", "-f", "nodes", "-f", "others"];
  expect(await bench.run(onnode, ...options, "all", "true")).toEqual(
    saying("ssh -n 10.0.9.1 true"),
  );
});

test("check_ctdb takes each option twice", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb", 'echo "|0|10.0.0.1|"');
  const check = join(PROJECT, "scripts/helpers/check_ctdb");
  const once = await bench.run(check, "-i", "ping", "-t", "5");
  const twice = ["-i", "scriptstatus", "-i", "ping", "-t", "x", "--timeout=5"];
  expect(await bench.run(check, ...twice)).toEqual(once);
  expect(once.output).toStartWith("CHECK_CTDB ");
});
