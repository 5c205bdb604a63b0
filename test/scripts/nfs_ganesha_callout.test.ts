/** nfs-ganesha-callout without Ganesha: a process that is called so, and a D-Bus that notes what is said. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { nfsBench } from "./nfs_bench.ts";
import { type ScriptBench, SILENT, saying } from "./script_bench.ts";

const GRACE =
  "--print-reply --system --dest=org.ganesha.nfsd /org/ganesha/nfsd/admin org.ganesha.nfsd.admin.grace";
const NOT_RUNNING = "NFS Ganesha not running according to PID file";

function ganeshaBench(fileSystem = "ceph"): ScriptBench {
  const bench = nfsBench();
  mkdirSync(bench.path("shared"));
  Object.assign(bench.environment, {
    CTDB_NFS_SHARED_STATE_DIR: bench.path("shared"),
    CTDB_NFS_EXPORTS_FILE: bench.path("ganesha.conf"),
    CTDB_NFS_LOCAL_STATE_DIR: bench.path("var/nfs"),
    CTDB_NFS_PID_FILE: bench.path("run/ganesha.pid"),
    CTDB_NFS_SERVICE: "nfs-ganesha",
  });
  bench.service("nfs-ganesha");
  bench.standIn("findmnt", `echo ${fileSystem}`);
  bench.standIn("hostname", "echo this");
  bench.standIn("dbus-send");
  bench.standIn("timeout", 'shift; exec "$@"');
  return bench;
}

const callout = (bench: ScriptBench, ...args: readonly string[]) =>
  bench.run(bench.path("base/nfs-ganesha-callout"), ...args);

function ganeshaRuns(bench: ScriptBench): void {
  bench.write("run/ganesha.pid", "77\n");
  bench.write("proc/77/comm", "ganesha.nfsd\n");
}

test("startup begins afresh, with what clients have open in the cluster file system", async () => {
  using bench = ganeshaBench();
  bench.write("var/nfs/ganesha/old", "kept");
  expect(await callout(bench, "startup")).toEqual(saying("started nfs-ganesha"));
  expect(readlinkSync(bench.path("var/nfs/ganesha"))).toBe(
    bench.path("shared/ganesha/this/ganesha"),
  );
  expect(existsSync(bench.path("shared/ganesha/this/ganesha/v4recov"))).toBe(true);
  const moved = await bench.run(
    "sh",
    "-c",
    `cat ${bench.path("var/nfs")}/ganesha.before-ctdb.*/old`,
  );
  expect(moved.output).toBe("kept");

  expect(await callout(bench, "startup")).toEqual(saying("started nfs-ganesha"));
  expect(await callout(bench, "shutdown")).toEqual(saying("stopped nfs-ganesha"));
  expect(bench.runs("nfs-ganesha")).toBe(false);
});

test("GPFS has one place for all nodes, GlusterFS one for all that NFS keeps", async () => {
  using gpfs = ganeshaBench("gpfs");
  await callout(gpfs, "startup");
  expect(readlinkSync(gpfs.path("var/nfs/ganesha"))).toBe(gpfs.path("shared/ganesha"));
  using gluster = ganeshaBench("fuse.glusterfs");
  await callout(gluster, "startup");
  expect(readlinkSync(gluster.path("var/nfs"))).toBe(gluster.path("shared/ganesha/this"));
  expect(existsSync(gluster.path("var/nfs/statd/sm"))).toBe(true);
});

test("Ganesha hears of addresses, and finds the clients of the node that had them", async () => {
  using bench = ganeshaBench();
  await callout(bench, "startup");
  ganeshaRuns(bench);
  const other = bench.path("shared/ganesha/other");
  mkdirSync(`${other}/ganesha/v4recov/node0`, { recursive: true });
  symlinkSync(other, bench.path("shared/ganesha/.addresses/10.0.0.1"));

  expect(await callout(bench, "startipreallocate")).toEqual(SILENT);
  expect(await callout(bench, "takeip", "eth0", "10.0.0.1", "24")).toEqual(SILENT);
  expect(await callout(bench, "takeip", "eth0", "10.0.0.2", "24")).toEqual(SILENT);
  expect(await callout(bench, "releaseip", "eth0", "10.0.0.2", "24")).toEqual(SILENT);
  expect(bench.calls("dbus-send")).toEqual(
    ["0:", "5:10.0.0.1", "5:10.0.0.2", "2:10.0.0.2"].map((event) => `${GRACE} string:${event}`),
  );
  const lookedFor = (address: string) => bench.path(`var/nfs/ganesha/${address}/v4recov`);
  expect(readlinkSync(lookedFor("10.0.0.1"))).toBe(`${other}/ganesha/v4recov/node0`);
  expect(existsSync(lookedFor("10.0.0.2"))).toBe(false);
  for (const address of ["10.0.0.1", "10.0.0.2"]) {
    const holder = readlinkSync(bench.path(`shared/ganesha/.addresses/${address}`));
    expect(holder).toBe(bench.path("shared/ganesha/this"));
  }

  // It comes back to us later: our own clients are no longer news.
  await callout(bench, "takeip", "eth0", "10.0.0.1", "24");
  expect(existsSync(lookedFor("10.0.0.1"))).toBe(false);
});

test("a Ganesha that is down or not yet on the bus does not fail the takeover, another refusal does", async () => {
  using bench = ganeshaBench();
  await callout(bench, "startup");
  expect(await callout(bench, "takeip", "eth0", "10.0.0.1", "24")).toEqual(
    saying(`WARNING: ${NOT_RUNNING}`),
  );
  ganeshaRuns(bench);
  bench.standIn("dbus-send", 'echo "Error org.freedesktop.DBus.Error.ServiceUnknown: no"; exit 1');
  const { code, output } = await callout(bench, "takeip", "eth0", "10.0.0.1", "24");
  expect(output).toContain("not on D-Bus");
  expect(code).toBe(0);
  expect(bench.calls("dbus-send").length).toBeGreaterThan(1);
  bench.standIn("dbus-send", "echo no bus; exit 1");
  expect(await callout(bench, "releaseip", "eth0", "10.0.0.1", "24")).toEqual({
    code: 1,
    output: "no bus\n",
  });
});

test("its check is for the process of the PID file", async () => {
  using bench = ganeshaBench();
  expect(await callout(bench, "check", "nfs")).toEqual({
    code: 1,
    output: `ERROR: ${NOT_RUNNING}\n`,
  });
  ganeshaRuns(bench);
  expect(await callout(bench, "check", "nfs")).toEqual(SILENT);
  bench.write("proc/77/comm", "another\n");
  expect((await callout(bench, "check", "nfs")).code).toBe(1);
  bench.standIn("findmnt", "echo gpfs");
  bench.standIn("mmgetstate", 'printf "\\n\\n\\n1 this down\\n"');
  expect(await callout(bench, "check", "nfs")).toEqual(SILENT);
  expect(await callout(bench, "stop", "nlockmgr")).toEqual(SILENT);
  expect((await callout(bench, "stop", "mountd")).code).toBe(1);
});

test("its numbers are those of operations, without the time", async () => {
  using bench = ganeshaBench();
  bench.environment["PATH"] = `${bench.path("bin")}:/usr/bin:/bin`;
  const reply = ["uint64 1234", "}", "struct {", 'string "NFSv3"', "uint64 7"];
  bench.standIn("dbus-send", reply.map((line) => `echo '${line}'`).join("\n"));
  expect(await callout(bench, "stats", "nfs")).toEqual(saying('string "NFSv3"', "uint64 7"));
  bench.standIn("ganesha_stats", "echo 'Time 1'; echo 'Total NFSv3 ops: 7'");
  expect(await callout(bench, "stats", "nfs")).toEqual(saying("Total NFSv3 ops: 7"));
});

test("shares are the paths of the configuration, in all the ways they are written", async () => {
  using bench = ganeshaBench();
  bench.write(
    "ganesha.conf",
    [
      "# Path = /commented;",
      "EXPORT { Export_Id = 1; Path = /one; Pseudo = /pseudo; }",
      '  path="/two; with # signs"; # Path = /no',
      "PATH = /three and four ;",
      'mount_path_pseudo = true; FSAL { Name = GLUSTER; volpath = "/no"; }',
      "EXPORT { Path = /five; } EXPORT { Path = '/six'; }",
      '%include "exports.conf"',
      "%include /nonexistent.conf",
    ].join("\n"),
  );
  bench.write("exports.conf", "EXPORT { Path = /seven; }\n%include exports.conf\n");
  const { output } = await callout(bench, "monitor-list-shares");
  expect([...new Set(output.trimEnd().split("\n"))]).toEqual([
    ...["/one", "/two; with # signs", "/three and four", "/five", "/six", "/seven"],
  ]);
});

test("without a shared directory there is nothing to share", async () => {
  using bench = ganeshaBench();
  bench.environment["CTDB_NFS_SHARED_STATE_DIR"] = bench.path("gone");
  const { code, output } = await callout(bench, "startup");
  expect(output).toContain(`CTDB_NFS_SHARED_STATE_DIR=${bench.path("gone")} not found`);
  expect(code).toBe(1);
  bench.environment["CTDB_NFS_SHARED_STATE_DIR"] = "";
  expect((await callout(bench, "startup")).output).toContain("is not set");
});
