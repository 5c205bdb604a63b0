/** 46.update-keytabs, 47.samba-dcerpcd, 48.netbios, 49.winbind, 50.samba. */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { until, when } from "../support/until.ts";
import { failedWith, ScriptBench, SILENT, saying } from "./script_bench.ts";

test("46.update-keytabs recovered makes the keytab again", async () => {
  using bench = new ScriptBench();
  expect(await bench.event("46.update-keytabs", "recovered")).toEqual(SILENT);
  expect(bench.calls("net")).toEqual([
    `ads keytab create --option=sync machine password script= --configfile=${bench.path("base")}/lib/server.conf`,
  ]);
  await bench.event("46.update-keytabs", "monitor");
  expect(bench.calls("net")).toHaveLength(1);
});

const SERVICES = [
  { script: "47.samba-dcerpcd", service: "samba-dcerpcd", program: "samba-dcerpcd" },
  { script: "48.netbios", service: "nmbd", program: "nmbd" },
  { script: "49.winbind", service: "winbind", program: "winbindd" },
  { script: "50.samba", service: "smbd", program: "smbd" },
];

for (const { script, service, program } of SERVICES) {
  test(`${script} startup ends what runs and starts the service, shutdown stops it`, async () => {
    using bench = new ScriptBench();
    bench.service(service);
    bench.standIn("killall", "exit 0");
    bench.standIn("sleep");
    expect(await bench.event(script, "startup")).toEqual(saying(`started ${service}`));
    expect(bench.calls(service)).toEqual(["stop", "start"]);
    expect(bench.calls("killall")).toEqual([`-0 -q ${program}`, `-q -9 ${program}`]);
    expect(await bench.event(script, "shutdown")).toEqual(saying(`stopped ${service}`));
    expect(bench.runs(service)).toBe(false);
  });

  test(`${script} startup fails when the service does not start`, async () => {
    using bench = new ScriptBench();
    bench.write(`etc/init.d/${service}`, "#!/bin/sh\nexit 1\n", 0o755);
    const { code, output } = await bench.event(script, "startup");
    expect(output).toContain("Failed to start");
    expect(code).toBe(1);
  });
}

for (const { script, service } of SERVICES.slice(0, 2)) {
  test(`${script} monitor fails with what the service says of itself`, async () => {
    using bench = new ScriptBench();
    bench.service(service);
    const { code, output } = await bench.event(script, "monitor");
    expect(output).toBe(`${service} is dead\n`);
    expect(code).not.toBe(0);
    await bench.event(script, "startup");
    expect(await bench.event(script, "monitor")).toEqual(SILENT);
  });
}

test("services have other names where the site says so", async () => {
  const names = {
    NMB: "48.netbios",
    WINBIND: "49.winbind",
    SMB: "50.samba",
    SAMBA_DCERPCD: "47.samba-dcerpcd",
  };
  for (const [option, script] of Object.entries(names)) {
    using bench = new ScriptBench();
    bench.options(`CTDB_SERVICE_${option}=mine\n`);
    bench.service("mine");
    await bench.event(script, "startup");
    expect(bench.runs("mine")).toBe(true);
  }
});

test("49.winbind monitor asks winbindd", async () => {
  using bench = new ScriptBench();
  expect(await bench.event("49.winbind", "monitor")).toEqual(SILENT);
  expect(bench.calls("wbinfo")).toEqual(["-p"]);
  bench.standIn("wbinfo", "echo could not ping; exit 1");
  expect(await bench.event("49.winbind", "monitor")).toEqual(
    failedWith("ERROR: wbinfo -p returned error", "could not ping"),
  );
});

/** smb.conf as testparm prints it; these ports are listened on. */
function sambaBench(lines: readonly string[], listening: readonly string[]): ScriptBench {
  const bench = new ScriptBench();
  bench.write("testparm", `[global]\n${lines.map((line) => `\t${line}\n`).join("")}`);
  bench.standIn("testparm", `cat "${bench.path("testparm")}"`);
  bench.standIn("timeout", 'shift; exec "$@"');
  const ports = listening.map((port) => `"checktcpport ${port}"`).join(" | ");
  bench.standIn("ctdb", `case "$*" in ${ports}) exit 98 ;; esac`);
  return bench;
}

test("50.samba monitor checks the ports that the configuration means", async () => {
  const checked = async (...lines: readonly string[]) => {
    using bench = sambaBench(lines, ["139", "445", "1445"]);
    expect(await bench.event("50.samba", "monitor")).toEqual(SILENT);
    return bench.calls("ctdb").map((call) => call.replace("checktcpport ", ""));
  };
  expect(await checked("smb ports = 445 139")).toEqual(["445", "139"]);
  expect(await checked("smb ports = 445", "server smb transports = tcp, nbt, quic")).toEqual([
    "445",
    "139",
  ]);
  expect(await checked("server smb transports = tcp:1445,nbt:139")).toEqual(["1445", "139"]);
});

test("50.samba monitor fails for a port nobody listens on, and without any port", async () => {
  using bench = sambaBench(["smb ports = 445 139"], ["445"]);
  expect(await bench.event("50.samba", "monitor")).toEqual(
    failedWith("samba not listening on TCP port 139"),
  );
  bench.options("CTDB_SAMBA_CHECK_PORTS=445\n");
  expect(await bench.event("50.samba", "monitor")).toEqual(SILENT);

  using without = sambaBench([], []);
  expect(await without.event("50.samba", "monitor")).toEqual(failedWith("Failed to set smb ports"));
  using quic = sambaBench(["server smb transports = quic"], []);
  expect(await quic.event("50.samba", "monitor")).toEqual(
    failedWith("Failed to set smb tcp ports"),
  );
});

test("50.samba monitor looks at the folders of the shares", async () => {
  using bench = sambaBench(["smb ports = 445"], ["445"]);
  const missing = bench.path("missing share");
  bench.write(
    "testparm",
    `\tsmb ports = 445\n\tpath = "${missing}"\n\tpath = /home/%S\n\tpath = \n`,
  );
  expect(await bench.event("50.samba", "monitor")).toEqual(
    failedWith(`ERROR: samba directory "${missing}" not available`),
  );
  mkdirSync(missing);
  expect(await bench.event("50.samba", "monitor")).toEqual(SILENT);
  bench.write("testparm", "\tsmb ports = 445\n\tpath = /no/such\n");
  bench.options("CTDB_SAMBA_SKIP_SHARE_CHECK=yes\n");
  expect(await bench.event("50.samba", "monitor")).toEqual(SILENT);
});

test("50.samba monitor makes do with what testparm said last", async () => {
  using bench = sambaBench(["smb ports = 445"], ["445"]);
  bench.standIn("testparm", "echo wrong >&2; exit 1");
  expect(await bench.event("50.samba", "monitor")).toEqual(
    failedWith("ERROR: smb.conf cache create failed - testparm failed with:", "wrong"),
  );
  bench.standIn("testparm", `cat "${bench.path("testparm")}"`);
  expect(await bench.event("50.samba", "monitor")).toEqual(SILENT);
  bench.standIn("testparm", "echo wrong >&2; exit 1");
  expect(await bench.event("50.samba", "monitor")).toEqual(
    saying("WARNING: smb.conf cache update failed - using old cache file", "wrong"),
  );
});

test("50.samba monitor asks again beside when testparm hangs", async () => {
  using bench = sambaBench(["smb ports = 445"], ["445"]);
  await bench.event("50.samba", "monitor");
  bench.write("testparm", "\tsmb ports = 445 139\n");
  // The first of the two takes too long.
  const once = bench.path("once");
  bench.standIn("timeout", `[ -e "${once}" ] || { : >"${once}"; exit 124; }; shift; exec "$@"`);
  expect(await bench.event("50.samba", "monitor")).toEqual(
    saying("WARNING: smb.conf cache update timed out - using old cache file"),
  );
  await until("the cache has the new ports", 10_000, () =>
    when(bench.read("state/service/samba/smb.conf.cache").includes("139")),
  );
});

test("50.samba keeps out of the cache what sends readers back to the registry", async () => {
  using bench = sambaBench(
    ["smb ports = 445", "include = registry", "copy = x", "winbind separator = +"],
    ["445"],
  );
  await bench.event("50.samba", "monitor");
  expect(bench.read("state/service/samba/smb.conf.cache")).toBe("[global]\n\tsmb ports = 445\n");
});

test("50.samba startup writes the interfaces for smb.conf", async () => {
  using bench = new ScriptBench();
  bench.service("smbd");
  bench.options(
    `CTDB_SAMBA_INTERFACES_FILE=${bench.path("interfaces")}\nCTDB_SAMBA_INTERFACES_EXTRA='"eth9;options=nodynamic"'\n`,
  );
  bench.write("base/public_addresses", "10.1.0.1/24 eth2,eth1\n");
  await bench.event("50.samba", "startup");
  const words = bench
    .read("interfaces")
    .split(/\s+/)
    .filter((word) => word !== "");
  expect(words.join(" ")).toBe(
    'bind interfaces only = yes interfaces = lo "eth1;options=dynamic" "eth2;options=dynamic" "eth9;options=nodynamic"',
  );
});

test("50.samba shutdown shows where in the kernel smbds are that do not end", async () => {
  using bench = new ScriptBench();
  bench.service("smbd");
  await bench.event("50.samba", "startup");
  bench.standIn("pidof", "echo 11 12");
  bench.write("proc/12/stack", "[<0>] nfs_wait\n");
  expect(await bench.event("50.samba", "shutdown")).toEqual(
    saying("stopped smbd", "Stack trace for smbd[12]:", "[<0>] nfs_wait"),
  );
});
