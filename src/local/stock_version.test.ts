import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TemporaryDirectory } from "../../test/support/temp_dir.ts";
import { err, ok } from "../base/result.ts";
import { LocalCluster } from "./local_cluster.ts";
import { askStockVersion } from "./stock_version.ts";

/** Stands for a daemon: says on standard error what it is, if it is asked as one that cannot stay. */
function fakeDaemon(directory: TemporaryDirectory, says: string): string {
  const path = join(directory.path, "ctdbd");
  const script = `#!/bin/sh\n[ -d "$CTDB_BASE/run/ctdbd.pid" ] || exit 0\necho '${says}' >&2\nexit 11\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

const neverConnects = () =>
  Promise.resolve(err({ kind: "disconnected" as const, reason: "no daemon", status: 0 }));

test("askStockVersion() takes the release from what the daemon says at its start", async () => {
  using directory = new TemporaryDirectory("version");
  const base = directory.file("probe");
  const ask = (says: string) => askStockVersion(fakeDaemon(directory, says), base);
  const newest = "Starting CTDBD (Version 4.25.0pre1-DEVELOPERBUILD) as PID: 7";
  expect(await ask(newest)).toEqual(ok((4 << 16) | 25));
  expect(await ask("Starting CTDBD (Version 4.9) as PID: 7")).toEqual(ok((4 << 16) | 9));
  const silent = await ask("Broken setup");
  expect(silent.ok ? "" : silent.error).toContain("Broken setup");
  const missing = await askStockVersion("/nonexistent/ctdbd", base);
  expect(missing.ok ? "" : missing.error).toContain("/nonexistent/ctdbd");
  expect(existsSync(base)).toBe(false);
});

test("LocalCluster.setup() lets our nodes announce the release of the stock daemon beside them", async () => {
  using directory = new TemporaryDirectory("mixed");
  const stockCtdbd = fakeDaemon(directory, "Starting CTDBD (Version 4.25.1) as PID: 7");
  const announced = async (stock: readonly number[]) => {
    const options = { nodes: 2, stock, stockCtdbd, executableDirectory: "/nonexistent" };
    const cluster = await LocalCluster.setup(directory.file("c"), options, neverConnects);
    if (!cluster.ok) throw new Error(cluster.error);
    return cluster.value.process(0).environment({})["CTDB_TEST_SAMBA_VERSION"];
  };
  expect(await announced([1])).toBe(String((4 << 16) | 25));
  expect(await announced([])).toBeUndefined();
});
