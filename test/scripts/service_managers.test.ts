/** `service` of the functions: systemd, init scripts, service(8) and nothing at all mean the same. */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { ScriptBench, SILENT, saying } from "./script_bench.ts";

/** A daemon that pidof knows while it runs; started it says how. */
function daemon(bench: ScriptBench, name: string): void {
  const flag = bench.path("run", `${name}.runs`);
  bench.standIn(name, `: >"${flag}"`);
  bench.standIn("pidof", `[ -e "${bench.path("run")}/$1.runs" ] && echo 4711`);
  // The shell's own kill would reach a process of that number.
  bench.write("base/rc.local", `kill() { echo "kill $*"; rm "${flag}"; }\n`, 0o755);
}

test("service goes to systemd where that runs", async () => {
  using bench = new ScriptBench();
  mkdirSync(bench.path("run/systemd/system"), { recursive: true });
  bench.service("smbd");
  await bench.functions("service smbd start; nice_service smbd stop");
  expect(bench.calls("systemctl")).toEqual(["start smbd", "stop smbd"]);
  expect(bench.calls("smbd")).toEqual([]);
});

test("service leaves systemctl alone where systemd does not run", async () => {
  using bench = new ScriptBench();
  bench.service("smbd");
  const { output } = await bench.functions("service smbd start; nice_service smbd stop");
  expect(output).toBe("started smbd\nstopped smbd\n");
  expect(bench.calls("systemctl")).toEqual([]);
});

test("service finds init scripts in each of the usual folders", async () => {
  using bench = new ScriptBench();
  for (const folder of ["init.d", "rc.d/init.d", "rc.d"]) {
    const name = folder.replaceAll("/", "_");
    bench.write(`etc/${folder}/${name}`, `#!/bin/sh\necho "${folder} $1"\n`, 0o755);
    expect(await bench.functions(`service ${name} restart`)).toEqual(saying(`${folder} restart`));
  }
});

test("service(8) is asked where no folder of init scripts is", async () => {
  using bench = new ScriptBench();
  await bench.functions("service smb start");
  expect(bench.calls("service")).toEqual(["smb start"]);
});

test("service starts and stops the daemon where nothing manages services", async () => {
  using bench = new ScriptBench();
  mkdirSync(bench.path("etc/init.d"));
  daemon(bench, "smbd");
  expect((await bench.functions("service smb status")).code).toBe(3);
  expect(await bench.functions("service smb start")).toEqual(SILENT);
  expect(await bench.functions("service smb start")).toEqual(SILENT);
  expect(bench.calls("smbd")).toEqual(["-D"]);
  expect((await bench.functions("service smb status")).code).toBe(0);
  expect(await bench.functions("service smb stop")).toEqual(saying("kill -TERM 4711"));
  expect(await bench.functions("service smb stop")).toEqual(SILENT);
});

test("service restarts a daemon that nothing manages, and reloads it", async () => {
  using bench = new ScriptBench();
  mkdirSync(bench.path("etc/init.d"));
  daemon(bench, "smbd");
  await bench.functions("service smbd start");
  expect(await bench.functions("service smbd restart")).toEqual(saying("kill -TERM 4711"));
  expect(bench.calls("smbd")).toEqual(["-D", "-D"]);
  expect(await bench.functions("service smbd reload")).toEqual(saying("kill -HUP 4711"));
});

test("service waits for a daemon that does not go to the background, and does not keep its pipe", async () => {
  using bench = new ScriptBench();
  mkdirSync(bench.path("etc/init.d"));
  const flag = bench.path("run/food.runs");
  // It holds what it inherited until the test says that it may end.
  bench.standIn("food", `: >"${flag}"; while [ -e "${flag}" ]; do sleep 0.05; done`);
  bench.standIn("pidof", `[ -e "${bench.path("run")}/$1.runs" ] && echo 4711`);
  bench.environment["CTDB_LOGGING"] = `file:${bench.path("log")}`;
  expect(await bench.functions("service foo start")).toEqual(SILENT);
  bench.write("base/rc.local", `kill() { rm "${flag}"; }\n`, 0o755);
  expect(await bench.functions("service foo stop")).toEqual(SILENT);
});

test("service says when there is nothing to start", async () => {
  using bench = new ScriptBench();
  mkdirSync(bench.path("etc/init.d"));
  const { code, output } = await bench.functions("service no-such-service start");
  expect(output).toContain('"no-such-service"');
  expect(code).toBe(1);
});

test("service does nothing without a name", async () => {
  using bench = new ScriptBench();
  expect(await bench.functions('service "" start')).toEqual(SILENT);
});
