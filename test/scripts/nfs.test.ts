/** 60.nfs: what the call-out is asked for, and how checks become health and restarts. */
import { expect, test } from "bun:test";
import { fakeCallout, healthyOnce, nfsBench, onlyCheck } from "./nfs_bench.ts";
import { failedWith, SILENT, saying } from "./script_bench.ts";

const REFUSED = "echo 'rpcinfo: RPC: Program not registered' >&2; exit 1";
const TIMED_OUT = "echo 'rpcinfo: RPC: Timed out' >&2; exit 1";
const problem = (text: string) => ["nfs failed RPC check:", `rpcinfo: RPC: ${text}`];
const [NOT_THERE, STUCK] = [problem("Program not registered"), problem("Timed out")];

test("every event reaches a call-out that names no operations, with the event's arguments", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  for (const event of ["startup", "takeip eth0 10.0.0.1 24", "startipreallocate", "shutdown"]) {
    expect(await bench.event("60.nfs", ...event.split(" "))).toEqual(SILENT);
  }
  expect(bench.calls("callout")).toEqual([
    "register",
    "startup",
    "takeip eth0 10.0.0.1 24",
    "startipreallocate",
    "shutdown",
  ]);
});

test("a call-out is asked for nothing but what it registers, and another one is asked anew", async () => {
  using bench = nfsBench();
  fakeCallout(bench, '[ "$1" != register ] || printf "%s\\n" startup monitor-post');
  await bench.event("60.nfs", "startup");
  await bench.event("60.nfs", "takeip", "eth0", "10.0.0.1", "24");
  await bench.event("60.nfs", "monitor");
  expect(bench.calls("callout")).toEqual(["register", "startup", "monitor-post"]);

  bench.standIn("other");
  bench.environment["CTDB_NFS_CALLOUT"] = bench.path("bin/other");
  await bench.event("60.nfs", "shutdown");
  expect(bench.calls("other")).toEqual(["register", "shutdown"]);
});

test("a call-out that fails fails the event", async () => {
  using bench = nfsBench();
  for (const event of ["startup", "shutdown", "takeip", "releaseip", "startipreallocate"]) {
    fakeCallout(bench, `[ "$1" != ${event} ] || { echo sorry; exit 3; }`);
    expect(await bench.event("60.nfs", event)).toEqual({ code: 3, output: "sorry\n" });
  }
  for (const operation of ["monitor-pre", "monitor-post"]) {
    fakeCallout(bench, `[ "$1" != ${operation} ] || exit 4`);
    expect((await bench.event("60.nfs", "monitor")).code).toBe(4);
  }
});

test("clients are told only after addresses came or went, and by the helper", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  bench.standIn("statd_callout_helper");
  await bench.event("60.nfs", "startup");
  expect(await bench.event("60.nfs", "ipreallocated")).toEqual(SILENT);
  await bench.event("60.nfs", "takeip", "eth0", "10.0.0.1", "24");
  const again = saying('Reconfiguring service "nfs"...');
  expect(await bench.event("60.nfs", "ipreallocated")).toEqual(again);
  expect(await bench.event("60.nfs", "ipreallocated")).toEqual(SILENT);
  await bench.event("60.nfs", "releaseip", "eth0", "10.0.0.1", "24");
  expect(await bench.event("60.nfs", "ipreallocated")).toEqual(again);
  await bench.event("60.nfs", "monitor");
  const calls = ["startup", "takeip 10.0.0.1", "notify", "notify", "update"];
  expect(bench.calls("statd_callout_helper")).toEqual(calls);
});

test("shares that are not there make the node unhealthy, unless that is not asked for", async () => {
  using bench = nfsBench();
  const missing = bench.path("gone");
  fakeCallout(bench, `[ "$1" != monitor-list-shares ] || echo "${missing}"`);
  expect(await bench.event("60.nfs", "monitor")).toEqual(
    failedWith(`ERROR: nfs directory "${missing}" not available`),
  );
  bench.options("CTDB_NFS_SKIP_SHARE_CHECK=yes");
  expect(await bench.event("60.nfs", "monitor")).toEqual(SILENT);
});

test("the shipped checks ask rpcinfo for each service, on the host that is configured", async () => {
  using bench = nfsBench("CTDB_RPCINFO_LOCALHOST=127.0.0.2");
  fakeCallout(bench);
  await healthyOnce(bench);
  const asked = ["portmapper", "status 1", "nfs 3", "nlockmgr 4", "mountd 1", "rquotad 1"];
  expect(bench.calls("rpcinfo")).toEqual(asked.map((service) => `-T tcp 127.0.0.2 ${service}`));
});

test("a check with several versions and families asks for each", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  onlyCheck(bench, "20.nfs.check", 'version="3 4"\nfamily="tcp udp6"');
  await healthyOnce(bench);
  const families = ["tcp 127.0.0.1", "udp6 ::1"];
  expect(bench.calls("rpcinfo")).toEqual(
    families.flatMap((family) => [`-T ${family} nfs 3`, `-T ${family} nfs 4`]),
  );
});

test("failures count until they make the node unhealthy, with restarts in between", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  const commands =
    'service_stop_cmd="$CTDB_NFS_CALLOUT stop nfs; echo stopped"\n' +
    'service_start_cmd="$CTDB_NFS_CALLOUT start nfs"\nservice_debug_cmd="echo looked"';
  onlyCheck(bench, "20.nfs.check", `# Check\nunhealthy_after=3\nrestart_every=2\n${commands}`);
  await healthyOnce(bench);
  bench.forgetCalls("callout");
  bench.standIn("rpcinfo", REFUSED);
  const failure = NOT_THERE.join("\n");
  const restart = ['Trying to restart service "nfs"...', "stopped", "looked"];

  expect(await bench.event("60.nfs", "monitor")).toEqual(SILENT);
  expect(await bench.event("60.nfs", "monitor")).toEqual(saying(`WARNING: ${failure}`, ...restart));
  expect(await bench.event("60.nfs", "monitor")).toEqual(failedWith(`ERROR: ${failure}`));
  expect(await bench.event("60.nfs", "monitor")).toEqual(
    failedWith(`ERROR: ${failure}`, ...restart),
  );
  expect(bench.calls("callout").filter((call) => !call.startsWith("monitor"))).toEqual([
    ...["stop nfs", "start nfs"],
    ...["stop nfs", "start nfs"],
  ]);

  bench.standIn("rpcinfo");
  await healthyOnce(bench);
  bench.standIn("rpcinfo", REFUSED);
  expect(await bench.event("60.nfs", "monitor")).toEqual(SILENT);
});

test("a service that never was healthy is no reason for patience", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  onlyCheck(bench, "20.nfs.check", "unhealthy_after=6");
  bench.standIn("rpcinfo", REFUSED);
  for (let round = 0; round < 2; round += 1) {
    expect(await bench.event("60.nfs", "monitor")).toEqual(
      failedWith(`ERROR: ${NOT_THERE.join("\n")}`),
    );
  }
});

test("a service that times out while its numbers change is a warning, and only then", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  onlyCheck(bench, "20.nfs.check", `unhealthy_after=2\nservice_stats_cmd="cat ${bench.path("n")}"`);
  bench.write("n", "1");
  await healthyOnce(bench);
  bench.standIn("rpcinfo", TIMED_OUT);
  for (const number of ["2", "3", "4"]) {
    bench.write("n", number);
    expect(await bench.event("60.nfs", "monitor")).toEqual(
      saying(`WARNING: statistics changed but ${STUCK.join("\n")}`),
    );
  }
  expect(await bench.event("60.nfs", "monitor")).toEqual(SILENT);
  expect(await bench.event("60.nfs", "monitor")).toEqual(failedWith(`ERROR: ${STUCK.join("\n")}`));

  bench.standIn("rpcinfo", REFUSED);
  bench.write("n", "5");
  expect((await bench.event("60.nfs", "monitor")).code).toBe(1);
});

test("a command may check instead of rpcinfo", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  onlyCheck(bench, "20.own.check", `service_check_cmd="echo asked; test -e ${bench.path("up")}"`);
  expect(await bench.event("60.nfs", "monitor")).toEqual(
    failedWith("asked", 'ERROR: monitoring service "own" failed'),
  );
  bench.write("up", "");
  expect(await bench.event("60.nfs", "monitor")).toEqual(saying("asked"));
  expect(bench.calls("rpcinfo")).toEqual([]);
});

test("check files that cannot be understood make the node unhealthy and say why", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  const wrong = [
    ["version=3\nunhealty_after=2", "ERROR: Unknown variable for nfs: unhealty_after=2"],
    ["garbage", "ERROR: Unknown variable for nfs: garbage"],
    ["unhealthy_after=often", "ERROR: Invalid value for nfs: unhealthy_after=often"],
    ["restart_every=-1", "ERROR: Invalid value for nfs: restart_every=-1"],
  ] as const;
  for (const [text, message] of wrong) {
    onlyCheck(bench, "20.nfs.check", text);
    expect(await bench.event("60.nfs", "monitor")).toEqual(failedWith(message));
  }
  onlyCheck(bench, "20.nfs.check", 'version="3');
  expect((await bench.event("60.nfs", "monitor")).code).toBe(1);
  onlyCheck(bench, "20.nfs.check", "version=3");
  onlyCheck(bench, "20.nfs.check~", "garbage");
  onlyCheck(bench, "README", "garbage");
  expect(await bench.event("60.nfs", "monitor")).toEqual(SILENT);
});

test("a restart needs both commands", async () => {
  using bench = nfsBench();
  fakeCallout(bench);
  onlyCheck(bench, "20.nfs.check", "unhealthy_after=5\nrestart_every=1\nservice_stop_cmd=true");
  await healthyOnce(bench);
  bench.standIn("rpcinfo", REFUSED);
  const { code, output } = await bench.event("60.nfs", "monitor");
  expect(output).toContain('Can not restart service "nfs"');
  expect(code).toBe(1);
});
