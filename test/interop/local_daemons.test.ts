/** ctdb_local_daemons as a process: the command line of the original's script, down to a cluster that runs. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandResult, runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

async function daemons(...args: readonly string[]): Promise<CommandResult> {
  return await runCommand([join(await compiledExecutables(), "ctdb_local_daemons"), ...args]);
}

test("ctdb_local_daemons sets up, starts, asks and stops a cluster", async () => {
  using directory = new TemporaryDirectory("local");
  const { path } = directory;
  expect(await daemons(path, "setup", "-n", "2", "-r", "7")).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  try {
    expect(await daemons(path, "start", "all")).toEqual({ code: 0, stdout: "", stderr: "" });
    const asked = await daemons(path, "onnode", "1,0", "ctdb pnn;", "ctdb getreclock");
    const lock = asked.stdout.split("\n")[1] ?? "";
    expect(lock).toMatch(/^!\S+\/ctdb_mutex_fcntl_helper \S+ 7$/);
    expect(asked.stdout).toBe(`1\n${lock}\n0\n${lock}\n`);
    expect(asked.stderr).toMatch(/^\n>> NODE: 127[.0-9]+ <<\n\n>> NODE: 127[.0-9]+ <<\n$/);
    expect((await daemons(path, "onnode", "0", "exit 3")).code).toBe(3);
    const addresses = await daemons(path, "onnode", "0", "ctdb -X ip all | wc -l");
    expect(Number(addresses.stdout)).toBe(5);
    const sockets = (await daemons(path, "print-socket", "0-1")).stdout.split("\n");
    expect(sockets.slice(0, -1).filter(existsSync)).toHaveLength(2);
    const log = (await daemons(path, "print-log", "all")).stdout.split("\n");
    expect(log.slice(0, -1)).toEqual(log.slice(0, -1).sort());
  } finally {
    expect((await daemons(path, "stop", "all")).code).toBe(0);
  }
}, 120_000);

test("ctdb_local_daemons setup writes what its options say", async () => {
  using directory = new TemporaryDirectory("local");
  const nodes = directory.file("my-nodes");
  const addresses = directory.file("my-addresses");
  writeFileSync(nodes, "127.9.8.1\n127.9.8.2\n");
  writeFileSync(addresses, "10.1.1.1/24 lo\n");
  const path = directory.file("cluster");
  const options = ["-N", nodes, "-P", addresses, "-F", "-C", "cluster lock", "-C", "node address"];
  expect((await daemons(path, "setup", ...options)).code).toBe(0);
  const text = (name: string) => readFileSync(join(path, "node.1", name), "utf8");
  expect(text("nodes")).toBe("127.9.8.1\n127.9.8.2\n");
  expect(text("public_addresses")).toBe("10.1.1.1/24 lo\n");
  expect(text("ctdb.conf")).toContain("\t# node address = 127.9.8.2\n");
  expect(text("ctdb.conf")).toMatch(/\t# cluster lock = \S+\/cluster\.lock\n/);
  expect(text("ctdb.conf")).toContain("[failover]\n\tdisabled = true\n");
  for (const wrong of [["-n", "0"], ["-z"], ["-r", "x"], ["-S", "lib.so"], ["-N", "/missing"]]) {
    const { code, stderr } = await daemons(path, "setup", ...wrong);
    expect([wrong, code, stderr !== ""]).toEqual([wrong, 1, true]);
  }
});
