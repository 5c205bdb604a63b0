/** 31.clamd, 40.vsftpd, 41.httpd, 70.iscsi. */
import { expect, test } from "bun:test";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

test("31.clamd starts, stops and looks for the socket", async () => {
  using bench = new ScriptBench();
  bench.service("clamav-daemon");
  bench.options("CTDB_CLAMD_SOCKET=/run/clamd.sock\n");
  expect(await bench.event("31.clamd", "startup")).toEqual(saying("started clamav-daemon"));
  expect(await bench.event("31.clamd", "monitor")).toEqual(
    failedWith("ERROR: clamav-daemon not listening on /run/clamd.sock"),
  );
  bench.standIn("ss", 'echo "u_str LISTEN"');
  expect(await bench.event("31.clamd", "monitor")).toEqual(SILENT);
  expect(bench.calls("ss").at(-1)).toBe("-l -xH src /run/clamd.sock");
  expect(await bench.event("31.clamd", "shutdown")).toEqual(saying("stopped clamav-daemon"));
});

test("31.clamd monitor wants to know where the socket is", async () => {
  using bench = new ScriptBench();
  expect((await bench.event("31.clamd", "monitor")).code).toBe(1);
});

/** ctdbd can bind to port 21 or 80 unless somebody listens. */
function listening(bench: ScriptBench, yes: boolean): void {
  bench.standIn("ctdb", `[ "$1" != checktcpport ] || exit ${yes ? 98 : 0}`);
}

test("40.vsftpd starts again when addresses have moved", async () => {
  using bench = new ScriptBench();
  bench.service("vsftpd");
  expect(await bench.event("40.vsftpd", "startup")).toEqual(saying("started vsftpd"));
  expect(await bench.event("40.vsftpd", "ipreallocated")).toEqual(SILENT);
  await bench.event("40.vsftpd", "takeip", "eth1", "10.1.0.1", "24");
  await bench.event("40.vsftpd", "releaseip", "eth1", "10.1.0.2", "24");
  expect(await bench.event("40.vsftpd", "ipreallocated")).toEqual(
    saying('Reconfiguring service "vsftpd"...', "restarted vsftpd"),
  );
  expect(await bench.event("40.vsftpd", "ipreallocated")).toEqual(SILENT);
  expect(await bench.event("40.vsftpd", "shutdown")).toEqual(saying("stopped vsftpd"));
});

test("40.vsftpd monitor warns first, then the node is unhealthy", async () => {
  using bench = new ScriptBench();
  listening(bench, false);
  const name = "vsftpd listening on TCP port 21";
  expect(await bench.event("40.vsftpd", "monitor")).toEqual(
    saying(`WARNING: ${name}: fail count 1 >= threshold 1`, "vsftpd not listening on TCP port 21"),
  );
  expect(await bench.event("40.vsftpd", "monitor")).toEqual(
    failedWith(
      `ERROR: ${name}: fail count 2 >= threshold 2`,
      "vsftpd not listening on TCP port 21",
    ),
  );
  listening(bench, true);
  expect(await bench.event("40.vsftpd", "monitor")).toEqual(
    saying(`NOTICE: ${name}: no longer failing`),
  );
});

test("41.httpd monitor starts the server again after two failures, and fails from five on", async () => {
  using bench = new ScriptBench();
  bench.service("apache2");
  listening(bench, false);
  await bench.event("41.httpd", "startup");
  const restart = [
    "HTTPD is not running. Trying to restart HTTPD.",
    "stopped apache2",
    "started apache2",
  ];
  const monitor = () => bench.event("41.httpd", "monitor");
  expect(await monitor()).toEqual(SILENT);
  expect(await monitor()).toEqual(saying(...restart));
  expect(await monitor()).toEqual(SILENT);
  expect(await monitor()).toEqual(SILENT);
  expect(await monitor()).toEqual(failedWith(...restart));
  expect(await monitor()).toEqual(failedWith(...restart));
  listening(bench, true);
  expect(await monitor()).toEqual(SILENT);
  listening(bench, false);
  expect(await monitor()).toEqual(SILENT);
});

test("41.httpd startup removes what a killed server has left", async () => {
  using bench = new ScriptBench();
  bench.write("etc/os-release", "ID=rhel\n");
  bench.service("httpd");
  bench.standIn("ipcs", 'echo "0x0 17 apache 600 1"; echo "0x0 18 root 600 1"');
  expect(await bench.event("41.httpd", "startup")).toEqual(saying("started httpd"));
  expect(bench.calls("ipcrm")).toEqual(["-s 17"]);
  expect(await bench.event("41.httpd", "shutdown")).toEqual(saying("stopped httpd"));
});

/** Addresses 10.1.0.1 and fd00::1 are here, 10.1.0.2 is on node 1. */
function iscsiBench(): ScriptBench {
  const bench = new ScriptBench();
  bench.options(`CTDB_START_ISCSI_SCRIPTS=${bench.path("targets")}\n`);
  bench.standIn(
    "ctdb",
    'case "$*" in pnn) echo 0 ;; "-X ip") printf "|Public IP|Node|\\n|10.1.0.1|0|\\n|10.1.0.2|1|\\n|fd00::1|0|\\n" ;; esac',
  );
  for (const address of ["10.1.0.1", "10.1.0.2"]) {
    bench.write(`targets/${address}.sh`, `#!/bin/sh\necho "targets of ${address}"\n`, 0o755);
  }
  // One rule to delete.
  for (const name of ["iptables", "ip6tables"]) {
    const flag = bench.path("run", name);
    bench.standIn(name, `case "$1" in -I) : >"${flag}" ;; -D) rm "${flag}" ;; esac`);
  }
  return bench;
}

test("70.iscsi ipreallocated starts the targets of the addresses that are here, behind a closed port", async () => {
  using bench = iscsiBench();
  expect(await bench.event("70.iscsi", "ipreallocated")).toEqual(
    saying("Starting iSCSI service for public address 10.1.0.1", "targets of 10.1.0.1"),
  );
  const rule = "INPUT -p tcp --dport 3260 -j DROP";
  const closing = `-I ${rule.replace("INPUT", "INPUT 1")}`;
  expect(bench.calls("iptables")).toEqual([closing, `-D ${rule}`, `-D ${rule}`]);
  expect(bench.calls("ip6tables")).toEqual([closing, `-D ${rule}`, `-D ${rule}`]);
  expect(bench.calls("tgtd")).toHaveLength(1);
  expect(bench.calls("killall")).toEqual(["-9 tgtd"]);
});

test("70.iscsi does not stop anything when ctdbd does not answer", async () => {
  using bench = iscsiBench();
  bench.standIn("ctdb", "exit 1");
  expect(await bench.event("70.iscsi", "ipreallocated")).toEqual(
    failedWith("Failed to get node pnn"),
  );
  expect(bench.calls("killall")).toEqual([]);
});

test("70.iscsi deletes the rules of earlier runs, but not for ever", async () => {
  using bench = iscsiBench();
  bench.standIn("iptables");
  await bench.event("70.iscsi", "ipreallocated");
  expect(bench.calls("iptables").length).toBe(101);
});

test("70.iscsi monitor looks at the port, shutdown ends the daemon", async () => {
  using bench = iscsiBench();
  bench.standIn("ctdb");
  expect(await bench.event("70.iscsi", "monitor")).toEqual(
    failedWith("iscsi not listening on TCP port 3260"),
  );
  listening(bench, true);
  expect(await bench.event("70.iscsi", "monitor")).toEqual(SILENT);
  expect(await bench.event("70.iscsi", "shutdown")).toEqual(SILENT);
  expect(bench.calls("killall")).toEqual(["-9 tgtd"]);
});

test("70.iscsi without its folder says so", async () => {
  using bench = new ScriptBench();
  expect(await bench.event("70.iscsi", "monitor")).toEqual(
    saying("No iscsi start script directory found"),
  );
});
