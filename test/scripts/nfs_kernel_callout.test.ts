/** nfs-linux-kernel-callout with init scripts and programs that only say that they were called. */
import { expect, test } from "bun:test";
import { utimesSync } from "node:fs";
import { nfsBench } from "./nfs_bench.ts";
import { type ScriptBench, SILENT, saying } from "./script_bench.ts";

function callout(bench: ScriptBench, ...args: readonly string[]) {
  return bench.run(bench.path("base/nfs-linux-kernel-callout"), ...args);
}

/** Services by the names of Red Hat's init scripts, all running. */
async function redhat(): Promise<ScriptBench> {
  const bench = nfsBench();
  bench.environment["CTDB_NFS_DISTRO_STYLE"] = "systemd-redhat";
  for (const name of ["nfs-server", "rpc-statd", "nfs-mountd", "rpc-rquotad"]) bench.service(name);
  await callout(bench, "startup");
  return bench;
}

test("it registers what it does, also what happens before addresses move", async () => {
  using bench = nfsBench();
  const { output } = await callout(bench, "register");
  expect(output.trimEnd().split("\n")).toEqual([
    ...["shutdown", "startup", "stop", "start", "startipreallocate"],
    ...["monitor-list-shares", "monitor-post"],
  ]);
  for (const operation of ["monitor-pre", "takeip", "releaseip"]) {
    expect(await callout(bench, operation)).toEqual(SILENT);
  }
  expect((await callout(bench, "dance")).code).toBe(1);
});

test("startup begins afresh in order, shutdown stops all even if one does not stop", async () => {
  using bench = await redhat();
  expect(["nfs-server", "rpc-statd", "rpc-rquotad"].map((name) => bench.runs(name))).toEqual([
    ...[true, true, true],
  ]);
  const again = await callout(bench, "startup");
  expect(again).toEqual(saying("started rpc-statd", "started nfs-server", "started rpc-rquotad"));

  await bench.run(bench.path("etc/init.d/rpc-rquotad"), "stop");
  const { code } = await callout(bench, "shutdown");
  expect(bench.runs("nfs-server") || bench.runs("rpc-statd")).toBe(false);
  expect(code).toBe(1);
});

test("a server that hangs is stopped with its threads, ours only", async () => {
  using bench = await redhat();
  bench.write("proc/fs/nfsd/threads", "8\n");
  expect(await callout(bench, "stop", "nfs")).toEqual(SILENT);
  expect(bench.read("proc/fs/nfsd/threads")).toBe("0\n");
  expect(bench.calls("pkill")).toEqual(["-9 -x nfsd"]);
});

test("before addresses move the lock manager is away for a moment", async () => {
  using bench = await redhat();
  bench.forgetCalls("rpc-statd");
  bench.standIn("sleep", `test ! -e "${bench.path("run/rpc-statd.runs")}" || echo early >&2`);
  expect(await bench.event("60.nfs", "startipreallocate")).toEqual(SILENT);
  expect(bench.calls("rpc-statd")).toEqual(["stop", "start"]);
  expect(bench.calls("sleep")).toEqual(["2"]);
  expect(bench.runs("rpc-statd")).toBe(true);
});

test("services that something else starts are ended and started by their programs", async () => {
  using bench = nfsBench();
  bench.write("etc/default/nfs-kernel-server", "RPCMOUNTDOPTS='--port 892 --manage-gids'\n");
  bench.write("etc/default/nfs-common", "STATD_PORT=662\nSTATD_HOSTNAME=cluster\n");
  bench.write("etc/default/quota", "RQUOTAD_PORT=875\n");
  for (const name of ["mountd", "status", "rquotad"]) {
    expect(await callout(bench, "stop", name)).toEqual(SILENT);
    expect(await callout(bench, "start", name)).toEqual(SILENT);
  }
  expect(bench.calls("killall")).toEqual([
    "-q -9 rpc.mountd",
    "-q -9 rpc.statd",
    "-q -9 rpc.rquotad",
  ]);
  expect(bench.calls("rpc.mountd")).toEqual(["--port 892 --manage-gids"]);
  expect(bench.calls("rpc.statd")).toEqual(["-n cluster -p 662"]);
  expect(bench.calls("rpc.rquotad")).toEqual(["-p 875"]);
});

test("the number of threads is corrected to the one that is configured", async () => {
  using bench = nfsBench();
  bench.write("proc/fs/nfsd/threads", "3\n");
  expect(await callout(bench, "monitor-post")).toEqual(SILENT);
  bench.standIn("nfsconf", "echo 8");
  const corrected = saying("Attempting to correct number of nfsd threads from 3 to 8");
  expect(await callout(bench, "monitor-post")).toEqual(corrected);
  expect(bench.read("proc/fs/nfsd/threads")).toBe("8\n");
  bench.write("etc/default/nfs-kernel-server", "RPCNFSDCOUNT=8\n");
  expect(await callout(bench, "monitor-post")).toEqual(SILENT);
  bench.write("proc/fs/nfsd/threads", "");
  expect((await callout(bench, "monitor-post")).output).toContain("unexpectedly failed");
});

test("shares are listed as directories, and asked for again when the exports have changed", async () => {
  using bench = nfsBench();
  const exportsFile = bench.path("etab");
  bench.write("etab", "");
  bench.environment["CTDB_NFS_EXPORTS_FILE"] = exportsFile;
  bench.environment["CTDB_NFS_CALLOUT_STATE_DIR"] = bench.path("state/callout");
  const list = (text: string) => bench.standIn("exportfs", `printf '${text}'`);
  list(
    "/srv/a\\t10.0.0.0/8(rw,sync)\\n/srv/long name of a directory\\n\\t\\t<world>(ro,sync)\\n/srv/a  *(ro)\\n",
  );
  const shares = saying("/srv/a", "/srv/long name of a directory");
  expect(await callout(bench, "monitor-list-shares")).toEqual(shares);
  expect(await callout(bench, "monitor-list-shares")).toEqual(shares);
  expect(bench.calls("exportfs")).toEqual(["-v"]);

  const later = new Date(Date.now() + 10_000);
  utimesSync(exportsFile, later, later);
  list("/srv/b\\t*(rw)\\n");
  expect(await callout(bench, "monitor-list-shares")).toEqual(saying("/srv/b"));
  bench.standIn("exportfs", "exit 1");
  utimesSync(exportsFile, later, new Date(Date.now() + 20_000));
  expect(await callout(bench, "monitor-list-shares")).toEqual(
    saying("WARNING: failed to run exportfs to list NFS shares"),
  );
});
