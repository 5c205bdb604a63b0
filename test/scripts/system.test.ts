/** 00.ctdb, 01.reclock, 05.system, 15.network, 20.multipathd, 95.database. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

test("00.ctdb init begins with an empty state", async () => {
  using bench = new ScriptBench();
  bench.write("state/service/old", "x");
  expect(await bench.event("00.ctdb", "init")).toEqual(SILENT);
  expect(readdirSync(bench.path("state"))).toEqual([]);
  bench.write("state/new", "x");
  expect(await bench.event("00.ctdb", "monitor")).toEqual(SILENT);
  expect(bench.read("state/new")).toBe("x");
});

test("01.reclock init makes the folder of the lock, by either name of the option", async () => {
  for (const option of ["cluster lock", "recovery lock"]) {
    using bench = new ScriptBench();
    bench.standIn(
      "ctdb-config",
      `[ "$3" = "${option}" ] || exit 2; echo "${bench.path("a/b/lock")}"`,
    );
    expect(await bench.event("01.reclock", "init")).toEqual(SILENT);
    expect(existsSync(bench.path("a/b"))).toBe(true);
  }
});

test("01.reclock init leaves a helper's lock alone, and no lock", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb-config", `echo "!/bin/helper ${bench.path("x/lock")}"`);
  expect(await bench.event("01.reclock", "init")).toEqual(SILENT);
  expect(existsSync(bench.path("x"))).toBe(false);
  bench.standIn("ctdb-config", "exit 2");
  expect(await bench.event("01.reclock", "init")).toEqual(SILENT);
});

test("01.reclock init fails when the configuration cannot be read", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb-config", "echo broken; exit 5");
  const { code, output } = await bench.event("01.reclock", "init");
  expect(output).toContain("Unexpected error getting cluster lock configuration");
  expect(code).toBe(1);
});

/** Memory and file systems filled to a percentage. */
function systemBench(memory: number, disk: number, options = ""): ScriptBench {
  const bench = new ScriptBench();
  bench.options(options);
  bench.standIn("ctdb-config", `echo "${bench.path("state")}"`);
  bench.standIn("ps", "echo processes");
  fill(bench, memory, disk);
  return bench;
}

function fill(bench: ScriptBench, memory: number, disk: number): void {
  bench.write(
    "proc/meminfo",
    `MemTotal: 100 kB\nMemAvailable: ${100 - memory} kB\nSwapTotal: 0 kB\n`,
  );
  bench.standIn(
    "df",
    `echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "/dev/x 1 1 1 ${disk}% /"`,
  );
}

test("05.system monitor warns once of each level and tells when it is over", async () => {
  using bench = systemBench(10, 91);
  const warning = saying("WARNING: Filesystem / utilization 91% >= threshold 90%");
  expect(await bench.event("05.system", "monitor")).toEqual(warning);
  expect(await bench.event("05.system", "monitor")).toEqual(SILENT);
  fill(bench, 10, 50);
  expect(await bench.event("05.system", "monitor")).toEqual(
    saying("NOTICE: Filesystem / utilization 50% < threshold 90%"),
  );
  expect(await bench.event("05.system", "monitor")).toEqual(SILENT);
});

test("05.system monitor reports everything that makes the node unhealthy, and the memory once", async () => {
  const options = "CTDB_MONITOR_FILESYSTEM_USAGE=/:80:90\nCTDB_MONITOR_MEMORY_USAGE=:95\n";
  using bench = systemBench(96, 92, options);
  const first = await bench.event("05.system", "monitor");
  expect(first.output).toBe(
    [
      "ERROR: Filesystem / utilization 92% >= threshold 90%",
      "ERROR: System memory utilization 96% >= threshold 95%",
      bench.read("proc/meminfo").trim(),
      "processes\n",
    ].join("\n"),
  );
  expect(first.code).toBe(1);
  const second = await bench.event("05.system", "monitor");
  expect(second).toEqual(
    failedWith(
      "ERROR: Filesystem / utilization 92% >= threshold 90%",
      "ERROR: System memory utilization 96% >= threshold 95%",
    ),
  );
  fill(bench, 10, 10);
  expect((await bench.event("05.system", "monitor")).code).toBe(0);
  fill(bench, 96, 10);
  expect((await bench.event("05.system", "monitor")).output).toContain("processes");
});

test("05.system monitor names options that it cannot read", async () => {
  using bench = systemBench(10, 10, 'CTDB_MONITOR_FILESYSTEM_USAGE="/:all /no/such/folder:90"\n');
  expect(await bench.event("05.system", "monitor")).toEqual(
    saying(
      'WARNING: all is an invalid percentage in "Filesystem /" check',
      "WARNING: Directory /no/such/folder does not exist",
    ),
  );
});

test("05.system monitor counts what an old kernel says as free", async () => {
  using bench = systemBench(0, 0, "CTDB_MONITOR_MEMORY_USAGE=50\n");
  bench.write(
    "proc/meminfo",
    "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 10 kB\nCached: 20 kB\nSwapTotal: 100 kB\nSwapFree: 50 kB\n",
  );
  expect((await bench.event("05.system", "monitor")).output).toContain(
    "System memory utilization 55%",
  );
});

test("15.network monitor checks names, name servers and hosts, and all of them", async () => {
  using bench = new ScriptBench();
  bench.options('CTDB_MONITOR_HOSTS="dns:a.example,3:2 ns:b.example ping:c.example:1:1 no"\n');
  bench.write("etc/resolv.conf", "search x\nnameserver 10.0.0.53\nnameserver 10.0.0.54\n");
  bench.standIn("timeout", 'shift; exec "$@"');
  bench.standIn("host", '[ "$2" = 10.0.0.54 ] || { echo "lookup of $1 failed"; exit 1; }');
  bench.standIn("ping", 'echo "no answer"; exit 1');
  const { code, output } = await bench.event("15.network", "monitor");
  expect(output).toBe(
    [
      "WARNING: Host check ns:b.example@10.0.0.53: fail count 1 >= threshold 1",
      "lookup of b.example failed",
      "no answer",
      "ERROR: Host check ping:c.example: fail count 1 >= threshold 1",
      "no answer",
      'WARNING: Invalid host check "no"',
      "",
    ].join("\n"),
  );
  expect(code).toBe(1);
  expect(bench.calls("timeout")[0]).toBe("3 host a.example");
  expect(bench.calls("host")).toEqual(["a.example", "b.example 10.0.0.53", "b.example 10.0.0.54"]);

  bench.standIn("host");
  bench.standIn("ping");
  const healthy = await bench.event("15.network", "startup");
  expect(healthy.output).toContain("NOTICE: Host check dns:a.example,3: no longer failing");
  expect(healthy.code).toBe(0);
});

test("15.network monitor says when a name server hangs", async () => {
  using bench = new ScriptBench();
  bench.options('CTDB_MONITOR_HOSTS="ns:b.example"\n');
  bench.write("etc/resolv.conf", "nameserver 10.0.0.53\n");
  bench.standIn("timeout", "exit 124");
  const { output } = await bench.event("15.network", "monitor");
  expect(output).toContain("Command timed out: host b.example 10.0.0.53");
});

test("20.multipathd monitor looks at every device", async () => {
  using bench = new ScriptBench();
  expect(await bench.event("20.multipathd", "monitor")).toEqual(SILENT);
  bench.options('CTDB_MONITOR_MPDEVICES="a b"\n');
  bench.standIn("multipath", 'echo "$2"; echo "policy prio=1 status=active"');
  expect(await bench.event("20.multipathd", "monitor")).toEqual(SILENT);
  expect(bench.calls("multipath")).toEqual(["-ll a", "-ll b"]);
  bench.standIn("multipath", 'echo "policy prio=1 status=enabled"');
  expect(await bench.event("20.multipathd", "monitor")).toEqual(
    failedWith('ERROR: multipath device "a" has no active paths', "multipath monitoring failed"),
  );
  bench.standIn("multipath", "");
  expect(await bench.event("20.multipathd", "monitor")).toEqual(
    failedWith('ERROR: device "a" not known to multipathd', "multipath monitoring failed"),
  );
});

test("20.multipathd monitor does not hang with multipath", async () => {
  using bench = new ScriptBench();
  bench.options("CTDB_MONITOR_MPDEVICES=a\n");
  bench.standIn("multipath", "exec tail -f /dev/null --pid=$PPID");
  bench.standIn("sleep");
  expect(await bench.event("20.multipathd", "monitor")).toEqual(
    failedWith("ERROR: callout to multipath checks hung", "multipath monitoring failed"),
  );
});

/** A node with a volatile and a persistent database. */
function databaseBench(): ScriptBench {
  const bench = new ScriptBench();
  for (const kind of ["volatile", "persistent", "state"])
    mkdirSync(bench.path("db", kind), { recursive: true });
  bench.standIn("ctdb-config", `echo "${bench.path("db")}/\${3%% *}"`);
  bench.standIn("timeout", 'shift; exec "$@"');
  for (const name of ["volatile/a.tdb.0", "persistent/b.tdb.0"]) bench.write(`db/${name}`, name);
  bench.standIn(
    "tdbtool",
    '[ $# -gt 0 ] || { echo "check"; exit; }; grep -q bad "$1" || echo "Database integrity is OK and has 1 records."',
  );
  return bench;
}

test("95.database init starts with sound databases", async () => {
  using bench = databaseBench();
  expect(await bench.event("95.database", "init")).toEqual(SILENT);
  expect(bench.calls("tdbtool")).toHaveLength(3);
});

test("95.database init does not start with a damaged persistent database", async () => {
  using bench = databaseBench();
  bench.write("db/persistent/b.tdb.0", "bad");
  const path = bench.path("db/persistent/b.tdb.0");
  expect(await bench.event("95.database", "init")).toEqual(
    failedWith(`Persistent database ${path} is corrupted! CTDB will not start.`),
  );
});

test("95.database init sets damaged volatile databases aside, and keeps few of them", async () => {
  using bench = databaseBench();
  bench.options("CTDB_MAX_CORRUPT_DB_BACKUPS=2\n");
  bench.write("db/volatile/a.tdb.0", "bad");
  for (const year of [2020, 2021, 2022])
    bench.write(`db/volatile/a.tdb.0.${year}0101.000000.corrupt`, "");
  const { code, output } = await bench.event("95.database", "init");
  expect(output).toContain(`WARNING: database ${bench.path("db/volatile/a.tdb.0")} is corrupted.`);
  expect(code).toBe(0);
  const left = readdirSync(bench.path("db/volatile")).sort();
  expect(left).toHaveLength(2);
  expect(left[0]).toBe("a.tdb.0.20220101.000000.corrupt");
});

test("95.database init does not call a database damaged whose check takes too long", async () => {
  using bench = databaseBench();
  bench.standIn("timeout", "exit 124");
  const { code, output } = await bench.event("95.database", "init");
  expect(output).toContain("did not end within 10 seconds, skipped");
  expect(code).toBe(0);
  expect(existsSync(bench.path("db/volatile/a.tdb.0"))).toBe(true);
});

test("95.database init makes do with tdbdump", async () => {
  using bench = databaseBench();
  bench.standIn("tdbtool", "");
  bench.standIn("tdbdump", 'grep -q bad "$1" && exit 1; exit 0');
  bench.write("db/persistent/b.tdb.0", "bad");
  const { code, output } = await bench.event("95.database", "init");
  expect(output).toContain("Using 'tdbdump' for database checks.");
  expect(output).toContain("is corrupted! CTDB will not start.");
  expect(code).toBe(1);
});

/** A daemon with two persistent databases and one volatile. */
function backupBench(leader: number): ScriptBench {
  const bench = new ScriptBench();
  bench.options(
    `CTDB_PERSISTENT_DB_BACKUP_DIR=${bench.path("backups")}\nCTDB_PERSISTENT_DB_BACKUP_LIMIT=2\n`,
  );
  bench.standIn(
    "ctdb",
    [
      'case "$1" in',
      "pnn) echo 0 ;;",
      `leader) echo ${leader} ;;`,
      'getdbmap) printf "|ID|Name|Path|Persistent|\\n|1|v.tdb|/v|0|\\n|2|p.tdb|/p|1|\\n|3|q.tdb|/q|1|\\n" ;;',
      'backupdb) echo data >"$3" ;;',
      "esac",
    ].join("\n"),
  );
  return bench;
}

test("95.database monitor saves persistent databases once a day and keeps as many as asked", async () => {
  using bench = backupBench(0);
  for (const day of ["20200101", "20200102"]) {
    bench.write(`backups/ctdb-persistent-db-backup-${day}000000.tgz`, "");
    await bench.run(
      "touch",
      "-d",
      "3 days ago",
      bench.path(`backups/ctdb-persistent-db-backup-${day}000000.tgz`),
    );
  }
  bench.write("backups/something else", "");
  await bench.run("touch", "-d", "3 days ago", bench.path("backups/something else"));
  const { code, output } = await bench.event("95.database", "monitor");
  expect(output).toMatch(/^Created backup tarball .*\/ctdb-persistent-db-backup-\d{14}\.tgz\n$/);
  expect(code).toBe(0);
  const names = readdirSync(bench.path("backups")).sort();
  expect(names).toHaveLength(3);
  expect(names).toContain("something else");
  expect(names).not.toContain("ctdb-persistent-db-backup-20200101000000.tgz");
  const archive = names.find((name) => !name.includes("2020") && name.endsWith(".tgz")) as string;
  const list = await bench.run("tar", "-tzf", bench.path("backups", archive));
  expect(list.output).toContain("/p.tdb.backup");
  expect(list.output).toContain("/q.tdb.backup");
  expect(list.output).not.toContain("/v.tdb.backup");
  expect((await bench.run("stat", "-c", "%a", bench.path("backups"))).output).toBe("700\n");
  // Within a day nothing happens.
  bench.forgetCalls("ctdb");
  expect(await bench.event("95.database", "monitor")).toEqual(SILENT);
  expect(bench.calls("ctdb")).toEqual([]);
});

test("95.database monitor leaves the backup to the leader", async () => {
  using bench = backupBench(1);
  expect(await bench.event("95.database", "monitor")).toEqual(
    saying(`Creating CTDB_PERSISTENT_DB_BACKUP_DIR=${bench.path("backups")}`),
  );
  expect(readdirSync(bench.path("backups"))).toEqual([]);
});

test("a backup that fails leaves nothing half done", async () => {
  using bench = backupBench(0);
  mkdirSync(bench.path("backups"));
  bench.standIn(
    "ctdb",
    'case "$1" in getdbmap) printf "|\\n|2|p.tdb|/p|1|\\n" ;; *) exit 1 ;; esac',
  );
  const { code, output } = await bench.run(
    bench.path("base/ctdb-backup-persistent-tdbs.sh"),
    bench.path("backups"),
  );
  expect(output).toBe("ERROR: Failed to backup p.tdb\n");
  expect(code).toBe(1);
  expect(readdirSync(bench.path("backups"))).toEqual([]);
});

test("a backup elsewhere than on the leader has the status that was asked for", async () => {
  using bench = backupBench(1);
  mkdirSync(bench.path("backups"));
  const script = bench.path("base/ctdb-backup-persistent-tdbs.sh");
  expect((await bench.run(script, "-L", "7", bench.path("backups"))).code).toBe(7);
  expect((await bench.run(script, "-l", bench.path("backups"))).code).toBe(0);
  expect((await bench.run(script)).output).toContain("usage:");
  expect((await bench.run(script, bench.path("missing"))).output).toContain("No such directory");
});
