/** notify.sh, debug-hung-script.sh, debug_locks.sh, ctdb-crash-cleanup.sh. */
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { ScriptBench, SILENT, saying } from "./script_bench.ts";

test("notify.sh tells every executable script, also after one that fails", async () => {
  using bench = new ScriptBench();
  const notify = (event: string) => bench.run(bench.path("base/notify.sh"), event);
  expect(await notify("startup")).toEqual(SILENT);
  const folder = "base/events/notification";
  bench.write(`${folder}/10.a.script`, '#!/bin/sh\necho "a $*"\nexit 3\n', 0o755);
  bench.write(`${folder}/20.b.script`, '#!/bin/sh\necho "b $*"\n', 0o755);
  bench.write(`${folder}/30.c.script`, "#!/bin/sh\necho c\n", 0o644);
  bench.write(`${folder}/README`, "#!/bin/sh\necho README\n", 0o755);
  const { code, output } = await notify("unhealthy");
  expect(output).toBe("a unhealthy\nb unhealthy\n");
  expect(code).toBe(1);
});

const TREE = ["sh,100 x", "  `-exportfs,123 -v", "  `-sleep,124 9", "rpcinfo,125"].join("\n");

test("debug-hung-script.sh shows the processes, where they are in the kernel, and the last results", async () => {
  using bench = new ScriptBench();
  bench.standIn("pstree", `cat <<'END'\n${TREE}\nEND`);
  bench.write("proc/123/stack", "[<0>] nfs_wait\n");
  bench.write("proc/124/stack", "[<0>] hrtimer\n");
  bench.standIn("ctdb", "echo status");
  const debug = (event: string) => bench.run(bench.path("base/debug-hung-script.sh"), "100", event);
  const expected = [
    '===== Start of hung script debug for PID="100", event="monitor" =====',
    "pstree -p -a 100:",
    TREE,
    "---- Stack trace of interesting process 123[exportfs] ----",
    "[<0>] nfs_wait",
    "---- ctdb scriptstatus monitor: ----",
    "status",
    '===== End of hung script debug for PID="100", event="monitor" =====',
    "",
  ].join("\n");
  expect(await debug("monitor")).toEqual({ code: 0, output: expected });

  bench.options("CTDB_DEBUG_HUNG_SCRIPT_STACKPAT=sleep\n");
  const init = (await debug("init")).output;
  expect(init).toContain("interesting process 124[sleep]");
  expect(init).not.toContain("scriptstatus");

  bench.options(`CTDB_DEBUG_HUNG_SCRIPT_LOGFILE=${bench.path("hung")}\n`);
  expect(await debug("monitor")).toEqual(SILENT);
  expect(bench.read("hung")).toBe(expected);
});

/** "08:01:1234", as /proc/locks has it. */
function fileInLocks(path: string): string {
  const { dev, ino } = statSync(path);
  const major = (dev >> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  const hexadecimal = (number: number) => number.toString(16).padStart(2, "0");
  return `${hexadecimal(major)}:${hexadecimal(minor)}:${ino}`;
}

/** Process 21 holds, 22 holds another file, 23 waits, with the lock of an open file. */
function lockedBench(): { bench: ScriptBench; database: string } {
  const bench = new ScriptBench();
  bench.write("db/locking.tdb.0", "");
  bench.write("db/other.tdb.0", "");
  const database = bench.path("db/locking.tdb.0");
  const file = fileInLocks(database);
  bench.write(
    "proc/locks",
    [
      `1: POSIX  ADVISORY  WRITE 21 ${file} 168 170`,
      `2: -> OFDLCK ADVISORY  WRITE -1 ${file} 168 170`,
      `3: POSIX  ADVISORY  WRITE 22 ${fileInLocks(bench.path("db/other.tdb.0"))} 0 EOF`,
      `4: POSIX  ADVISORY  READ 22 ${file} 4 4`,
      `5: POSIX  ADVISORY  WRITE 23 ${file} 500 500`,
      "",
    ].join("\n"),
  );
  bench.standIn("ps", 'case "$*" in *comm=) echo "smbd$2" ;; *"21 "*) echo D ;; *) echo S ;; esac');
  bench.standIn("gstack", 'echo "#0 of $1"');
  bench.write("proc/21/stack", "[<0>] cluster_fs\n");
  return { bench, database };
}

test("debug_locks.sh shows who waits, who holds, and where that is", async () => {
  const { bench, database } = lockedBench();
  using _ = bench;
  const { code, output } = await bench.run(
    ...[bench.path("base/debug_locks.sh"), "23", "DB", database, "FCNTL"],
  );
  expect(output.replaceAll(/PID=\d+ =/g, "PID=N =")).toBe(
    [
      "===== Start of debug locks PID=N =====",
      "Waiter:",
      "23 smbd23 locking.tdb.0 168 170",
      "Lock holders:",
      "21 smbd21 locking.tdb.0 168 170",
      "----- Stack trace for PID=21 -----",
      "----- Process in D state, printing kernel stack only",
      "[<0>] cluster_fs",
      "===== End of debug locks PID=N =====",
      "",
    ].join("\n"),
  );
  expect(code).toBe(0);
});

test("debug_locks.sh asks for the holders of mutexes", async () => {
  const { bench, database } = lockedBench();
  using _ = bench;
  bench.write("proc/locks", "");
  const locks = () =>
    bench.run(bench.path("base/debug_locks.sh"), "23", "RECORD", database, "MUTEX");
  bench.standIn("tdb_mutex_check", 'echo "[7] pid=31"; echo "[8] pid=23"');
  const { output } = await locks();
  expect(output).toContain("Lock holders:\n31 smbd31 locking.tdb.0 7\n23 smbd23 locking.tdb.0 8\n");
  expect(output).toContain("----- Stack trace for PID=31 -----\n#0 of 31\n");
  expect(bench.calls("gstack")).toEqual(["31"]);
  bench.standIn("tdb_mutex_check", 'echo "[7] trylock failed"');
  expect((await locks()).output).toContain("[7] trylock failed");
});

test("debug_locks.sh wants four arguments", async () => {
  using bench = new ScriptBench();
  const { code, output } = await bench.run(bench.path("base/debug_locks.sh"), "1", "DB");
  expect(output).toContain("usage:");
  expect(code).toBe(1);
});

/** Every address that is asked for is on eth1. */
function crashedBench(): ScriptBench {
  const bench = new ScriptBench();
  bench.write("base/public_addresses", "10.1.0.1/24 eth1\n");
  bench.write("base/events/legacy/11.natgw.options", "CTDB_NATGW_PUBLIC_IP=10.2.0.1/24\n");
  bench.standIn("ip", 'case "$1" in -brief) echo "eth1 UP $5/24" ;; esac');
  bench.write("etc/init.d/ctdb", "#!/bin/sh\nexit 3\n", 0o755);
  return bench;
}

test("ctdb-crash-cleanup.sh takes the addresses of a ctdbd that has died", async () => {
  using bench = crashedBench();
  expect(await bench.run(bench.path("base/ctdb-crash-cleanup.sh"))).toEqual(
    saying(
      "Removing public address 10.1.0.1/24 from device eth1",
      "Removing public address 10.2.0.1/24 from device eth1",
    ),
  );
  expect(bench.calls("ip")).toContain("addr del 10.1.0.1/24 dev eth1");
});

test("ctdb-crash-cleanup.sh leaves a ctdbd alone that runs, whoever started it", async () => {
  using managed = crashedBench();
  managed.write("etc/init.d/ctdb", "#!/bin/sh\nexit 0\n", 0o755);
  expect(await managed.run(managed.path("base/ctdb-crash-cleanup.sh"))).toEqual(SILENT);
  using byHand = crashedBench();
  byHand.standIn("pidof", "echo 99");
  expect(await byHand.run(byHand.path("base/ctdb-crash-cleanup.sh"))).toEqual(SILENT);
  expect(byHand.calls("ip")).toEqual([]);
});
