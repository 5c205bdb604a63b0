import { expect, test } from "bun:test";
import * as v from "valibot";
import { MemoryFiles } from "../../../test/support/memory_files.ts";
import { runConfigTool } from "../config_tool.ts";
import { loadCtdbConfig } from "../ctdb_conf.ts";
import { resolvePaths } from "../paths.ts";
import { SCRIPT_VARIABLES } from "../script_variables.ts";
import { configToolFacts } from "../tool_schemas.ts";
import { REMOVED, SERVICE_SCRIPTS, SUCCESSORS } from "./old_names.ts";

const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt");
const paths = resolved.ok ? resolved.value : (undefined as never);
const OLD = "/n/ctdbd.conf";
const DIRECTORIES = ["/n", "/n/db", "/n/var/log"];

class Host {
  readonly paths = paths;
  readonly files: MemoryFiles;
  printed = { out: "", err: "" };

  constructor(old: string, others: Readonly<Record<string, string>> = {}) {
    this.files = new MemoryFiles({ [OLD]: old, "/n/hung.sh": "", ...others }, DIRECTORIES);
  }
  out(text: string): void {
    this.printed.out += text;
  }
  err(text: string): void {
    this.printed.err += text;
  }
  run(...args: string[]) {
    this.printed = { out: "", err: "" };
    const status = runConfigTool(this, ["migrate", ...args]);
    return { status, ...this.printed };
  }
  text(name: string): string | undefined {
    const text = this.files.readText(`/n/${name}`);
    return text.ok ? text.value.replace(/^#.*\n/, "") : undefined;
  }
}

const EVERYTHING = `# Options to ctdbd
CTDB_NODE_ADDRESS=10.0.0.1
CTDB_RECOVERY_LOCK="/shared/lock file"
`;

test("migrate writes what the old variables say today", () => {
  const host = new Host(`${EVERYTHING}
CTDB_CAPABILITY_RECMASTER=no
CTDB_CAPABILITY_LMASTER=yes
CTDB_DBDIR=/n/db
CTDB_DBDIR_PERSISTENT=/n/db
export CTDB_DEBUG_HUNG_SCRIPT=hung.sh
CTDB_NOSETSCHED=yes
CTDB_START_AS_DISABLED=no
CTDB_LOGFILE=/n/log
CTDB_DEBUGLEVEL=ERR
CTDB_SET_monitorinterval=0x10
CTDB_SET_TDBMutexEnabled=0
CTDB_SET_VacuumLimit=7
CTDB_MANAGES_SAMBA=yes
CTDB_MANAGES_NFS=yes
CTDB_MANAGES_WINBIND=no
CTDB_NATGW_NODES=/n/natgw
CTDB_MONITOR_FILESYSTEM_USAGE="/:90 /var:80:95"
CTDB_MONITOR_SWAP_USAGE=25
CTDB_NFS_CALOUT=x
ulimit -n 10000
`);
  const { status, out, err } = host.run();
  expect([status, err]).toEqual([0, ""]);
  expect(host.text("ctdb.conf")).toBe(`[logging]
	location = file:/n/log
	log level = ERR
[cluster]
	node address = 10.0.0.1
	cluster lock = /shared/lock file
	leader capability = false
[database]
	volatile database directory = /n/db
	persistent database directory = /n/db
	tdb mutexes = false
[event]
	debug script = hung.sh
[legacy]
	realtime scheduling = false
`);
  expect(host.text("ctdb.tunables")).toBe("MonitorInterval=0x10\n");
  expect(host.text("script.options")).toBe(
    "CTDB_NATGW_NODES=/n/natgw\nCTDB_MONITOR_FILESYSTEM_USAGE='/:90 /var:80:95'\n",
  );
  expect(loadCtdbConfig(host.files, paths).ok).toBe(true);
  expect(out).toContain("ctdb event script enable legacy 50.samba\n");
  expect(out).toContain("ctdb event script enable legacy 60.nfs\n");
  expect(out).not.toContain("49.winbind\n");
  for (const note of [
    'CTDB_CAPABILITY_LMASTER: "yes" is the default',
    "CTDB_SET_VacuumLimit: the tunable is obsolete",
    "CTDB_MONITOR_SWAP_USAGE: only memory is watched",
    'CTDB_NFS_CALOUT: it is not known (did you mean "CTDB_NFS_CALLOUT"?)',
    "ulimit -n 10000: commands are not run",
  ]) {
    expect(out).toContain(note);
  }
});

test("migrate changes nothing the second time, and no file of somebody else", () => {
  const host = new Host(EVERYTHING);
  const first = host.run();
  const written = host.text("ctdb.conf");
  expect(first.out).toContain('Wrote "/n/ctdb.conf"\n');
  expect(host.run().out).toContain('"/n/ctdb.conf" says it already\n');

  const edited = new Host(EVERYTHING, { "/n/ctdb.conf": "# mine\n" });
  const told = '"/n/ctdb.conf" says something else and stays; wrote "/n/ctdb.conf.new"\n';
  expect(edited.run().out).toContain(told);
  expect(edited.files.readText("/n/ctdb.conf")).toEqual({ ok: true, value: "# mine\n" });
  expect(edited.text("ctdb.conf.new")).toBe(written ?? "");
  expect(edited.run().out).toContain('stays; "/n/ctdb.conf.new" is there already\n');
});

test("migrate --dry-run shows what it would write, and writes nothing", () => {
  const host = new Host(EVERYTHING);
  const { status, out } = host.run("--dry-run", OLD);
  expect(status).toBe(0);
  expect(out).toContain('Would write into "/n/ctdb.conf":\n# ');
  expect(out).toContain("\tcluster lock = /shared/lock file\n");
  expect(host.text("ctdb.conf")).toBeUndefined();
});

test("migrate writes nothing while something is wrong, and names all of it", () => {
  const host = new Host(`CTDB_NODE_ADDRESS=$(hostname -i)
CTDB_CAPABILITY_LMASTER=maybe
CTDB_DBDIR=/missing
if x; then CTDB_TRANSPORT=tcp; fi
CTDB_SET_MonitorIntervl=1
CTDB_SET_MonitorInterval=often
CTDB_MANAGES_SAMBA=1
CTDB_SAMBA_SKIP_SHARE_CHECK=1
CTDB_DEBUGLEVEL = 3
CTDB_RECOVERY_LOCK="a
b"
CTDB_LOGFILE=/n/log
CTDB_SYSLOG=yes
CTDB_DBDIR_STATE='/n/db
`);
  const { status, err } = host.run();
  expect(status).toBe(22);
  const lines = err.trimEnd().split("\n");
  expect(lines.pop()).toStartWith("Nothing is written");
  expect(lines.map((line) => Number(/line ([0-9]+): /.exec(line)?.[1]))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14,
  ]);
  for (const line of lines) expect(line).toContain("expected ");
  expect(err).toContain('did you mean "MonitorInterval"?');
  expect(host.text("ctdb.conf")).toBeUndefined();
});

test("migrate takes the last of several values, and says which file it looked for", () => {
  const host = new Host("CTDB_DEBUGLEVEL=nonsense\nCTDB_DEBUGLEVEL=INFO\n");
  expect(host.run().out).toContain("line 1: CTDB_DEBUGLEVEL: a later line has it again");
  expect(host.text("ctdb.conf")).toBe("[logging]\n\tlog level = INFO\n");
  expect(host.run("/n/none")).toEqual({
    status: 2,
    out: "",
    err: 'Cannot find an old configuration: expected "/n/none"\n',
  });
  for (const [status, ...args] of [
    [1, "--what"],
    [22, "a", "b"],
  ] as const) {
    expect(host.run(...args)).toMatchObject({ status, out: "" });
  }
});

test("every old name has one fate", () => {
  const fates = [...Object.keys(SUCCESSORS), ...Object.keys(REMOVED)];
  expect(new Set(fates).size).toBe(fates.length);
  const both = fates.filter((name) => SCRIPT_VARIABLES.includes(name));
  // Scripts get these from the daemon, whose options they are.
  expect(both).toEqual(["CTDB_LOGGING", "CTDB_DEBUGLEVEL"]);
  for (const script of Object.values(SERVICE_SCRIPTS)) expect(script).toMatch(/^[0-9]{2}\.\w+$/);
});

test("migrate --json says which files it read and wrote, and what is left to do", () => {
  const host = new Host(`${EVERYTHING}CTDB_MANAGES_SAMBA=yes\n`, { "/n/ctdb.conf": "[logging]\n" });
  const run = (...args: string[]) => {
    const { status, out, err } = host.run("--json", ...args);
    expect(err).toBe("");
    const { schema_version, ...facts } = JSON.parse(out);
    expect([schema_version, v.safeParse(configToolFacts, facts).issues]).toEqual([1, undefined]);
    return { status, facts };
  };
  const planned = run("--dry-run");
  expect([planned.status, planned.facts.dry_run, planned.facts.read]).toEqual([0, true, [OLD]]);
  expect(planned.facts.scripts).toEqual(["50.samba"]);
  const [file] = planned.facts.files;
  expect(file).toMatchObject({ file: "/n/ctdb.conf", written: null, differs: null });
  expect(file.text).toContain("cluster lock = /shared/lock file\n");
  expect(run().facts.files[0]).toMatchObject({ written: "/n/ctdb.conf.new", differs: true });
  expect(run().facts.files[0]).toMatchObject({ written: null, differs: true });
  const missing = host.run("-j", "/n/none");
  expect([missing.status, missing.out, JSON.parse(missing.err).error.kind]).toEqual([
    2,
    "",
    "failed",
  ]);
});
