/** flock, ss and tdbtool of the executable beside the real programs, where those are installed. */
import { beforeAll, expect, test } from "bun:test";
import { closeSync, openSync, writeSync } from "node:fs";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

let appliance = "";

beforeAll(async () => {
  appliance = `${await compiledExecutables()}/ctdb-appliance`;
}, 120_000);

/** A line of shell in which "$1" is the program; the lock file "$2" has no holder at its start. */
async function shell(program: string, line: string) {
  using directory = new TemporaryDirectory("stand-in");
  const words = ["/bin/sh", "-c", `exec 2>&1\n${line}`, "sh", program, directory.file("lock")];
  const { code, stdout } = await runCommand(words, { env: { PATH: process.env["PATH"] ?? "" } });
  return { code, output: stdout.replaceAll(directory.path, "DIR") };
}

const LOCKING: readonly string[] = [
  // The lock stays with the shell's open file, and is in the way of others.
  'exec 9>"$2"; $1 9; $1 -n 9; echo $?; (exec 9>"$2"; $1 -n 9); echo $?',
  'exec 9>"$2"; $1 -s 9; (exec 9>"$2"; $1 -s -n 9; echo $?; $1 -n -E 7 9; echo $?)',
  'exec 9>"$2"; $1 9; $1 -u 9; (exec 9>"$2"; $1 --timeout 1 9; echo $?)',
  'exec 9>"$2"; $1 9; (exec 9>"$2"; $1 --wait 0.05 9); echo $?',
  // Whoever waits gets it.
  '(exec 9>"$2"; $1 9; echo has; : >"$2.held"; sleep 0.2) & while [ ! -e "$2.held" ]; do :; done; $1 -w 10 "$2" echo then; wait',
  '$1 "$2" sh -c \'echo "$0 $*"; exit 7\' a b c; echo $?',
  '$1 "$2" -c "echo one; exit 3"; echo $?',
  "$1 . true; echo $?",
  '$1 -n "$2" $1 -n "$2" true; echo $?',
  // A job that outlives the command keeps the lock, unless told otherwise.
  '$1 "$2" sh -c "sleep 1 >/dev/null 2>&1 &"; $1 -n "$2" true; echo $?',
  '$1 -o "$2" sh -c "sleep 1 >/dev/null 2>&1 &"; $1 -n "$2" true; echo $?',
  '$1 9; echo $?; $1 "$2/x" true; echo $?; $1 "$2" no-such-program; echo $?',
];

test.skipIf(Bun.which("flock") === null)(
  "flock locks as util-linux' does",
  async () => {
    for (const line of LOCKING) {
      const real = await shell("flock", line);
      expect({ line, ...(await shell(`${appliance} flock`, line)) }).toEqual({ line, ...real });
    }
  },
  120_000,
);

test.skipIf(Bun.which("ss") === null)("ss lists connections as iproute2's does", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const socket = { hostname: "127.0.0.1", port: server.port, socket: { data() {} } };
  const clients = await Promise.all([Bun.connect(socket), Bun.connect(socket)]);
  const line = (args: string) => `$1 ${args} | awk '{ $1 = $1; print }' | sort`;
  for (const args of [
    `-tnH state established src 127.0.0.1 and sport = :${server.port}`,
    `-tnH state established "( src [127.0.0.1]:${server.port} || dst 127.0.0.1:${server.port} )"`,
    `-tnaH dport = :${server.port}`,
  ]) {
    const real = await shell("ss", line(args));
    expect(real.output.split("\n").length).toBeGreaterThan(2);
    expect(await shell(`${appliance} ss`, line(args))).toEqual(real);
  }
  for (const client of clients) client.end();
});

test("tdbtool tells a sound database from one that is damaged", async () => {
  using directory = new TemporaryDirectory("stand-in");
  const path = directory.file("x.tdb");
  const tdb = must(recordEnvironment().tdbs.open({ path, flags: 0, hashSize: 7, create: true }));
  for (let i = 0; i < 10; i++) must(tdb.store(Uint8Array.of(i), Buffer.alloc(10)));
  tdb.close();
  const check = () => runCommand([appliance, "tdbtool", path, "check"]);
  const sound = { code: 0, stdout: "Database integrity is OK and has 10 records.\n", stderr: "" };
  expect(await check()).toEqual(sound);
  if (Bun.which("tdbtool") !== null) {
    expect(await runCommand(["tdbtool", path, "check"])).toEqual(sound);
  }
  const file = openSync(path, "r+");
  // The heads of the chains.
  writeSync(file, Buffer.alloc(16, 0x55), 0, 16, 172);
  closeSync(file);
  const damaged = await check();
  expect(damaged.stdout).toBe("Integrity check for the opened database failed.\n");
  expect(damaged.stderr).toContain(path);
  expect(damaged.code).toBe(1);
});

test("stand-ins say what they are for, and refuse the rest", async () => {
  for (const name of ["flock", "ss", "tdbtool"]) {
    const help = await runCommand([appliance, name, "--help"]);
    expect([help.code, help.stdout.split("\n")[0]]).toEqual([0, expect.stringContaining(name)]);
  }
  const dump = await runCommand([appliance, "tdbtool", "x.tdb", "dump"]);
  expect([dump.code, dump.stderr]).toEqual([1, expect.stringContaining('"dump"')]);
});
