/** What event scripts share: options, logs, caches, counters, connections, and what the site may replace. */
import { expect, test } from "bun:test";
import { ScriptBench, SILENT, saying } from "./script_bench.ts";

test("functions refuse without CTDB_BASE", async () => {
  using bench = new ScriptBench();
  const { code, output } = await bench.run(
    ...["env", "-u", "CTDB_BASE", "sh", "-c", '. "$0"; echo on', bench.path("base/functions")],
  );
  expect(output).toContain("CTDB_BASE is not set");
  expect(code).toBe(1);
});

test("functions end with rc.local and rc.local.d, the executable ones, which replace what they like", async () => {
  using bench = new ScriptBench();
  bench.write("base/rc.local", 'service() { echo "site $*"; }\nget_proc() { echo fake; }\n', 0o755);
  bench.write("base/rc.local.d/10", 'get_proc() { echo "last $1"; }\n', 0o755);
  bench.write("base/rc.local.d/20", "get_proc() { echo off; }\n", 0o644);
  expect(await bench.functions("service smbd start; get_proc a/b")).toEqual(
    saying("site smbd start", "last a/b"),
  );
});

test("options of the script win over script.options", async () => {
  using bench = new ScriptBench();
  bench.options("A=1\nB=1\n");
  bench.write("base/events/legacy/50.x.options", "B=2\n");
  bench.write(
    "base/events/legacy/50.x.script",
    '#!/bin/sh\n. "$CTDB_BASE/functions"\nload_script_options\necho "$A $B"\n',
    0o755,
  );
  expect(await bench.run(bench.path("base/events/legacy/50.x.script"))).toEqual(saying("1 2"));
  expect(await bench.functions('load_script_options failover 50.x; echo "$A $B"')).toEqual(
    saying("1 2"),
  );
});

test("script_log goes where the daemon logs", async () => {
  using bench = new ScriptBench();
  expect(await bench.functions("script_log tag a word")).toEqual(saying("a word"));
  bench.environment["CTDB_LOGGING"] = `file:${bench.path("log")}`;
  expect(await bench.functions("script_log tag one; echo two | script_log tag")).toEqual(SILENT);
  expect(bench.read("log")).toBe("one\ntwo\n");
  bench.environment["CTDB_LOGGING"] = "syslog:nonblocking";
  await bench.functions("script_log tag three");
  expect(bench.calls("logger")).toEqual(["-t ctdbd: tag three"]);
});

test("script_log says it all the same where the log cannot be written", async () => {
  using bench = new ScriptBench();
  bench.environment["CTDB_LOGGING"] = `file:${bench.path("missing/log")}`;
  expect(await bench.functions("script_log tag words")).toEqual(saying("words"));
});

test("platform is that of os-release, or of what it is like", async () => {
  using bench = new ScriptBench();
  const style = async (text: string) => {
    bench.write("etc/os-release", text);
    return (await bench.functions('echo "$CTDB_PLATFORM_STYLE"')).output.trim();
  };
  expect(await style('ID="rhel"\n')).toBe("redhat");
  expect(await style("ID=ubuntu\nID_LIKE=debian\n")).toBe("debian");
  expect(await style('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n')).toBe("suse");
  expect(await style('ID=rocky\nID_LIKE="rhel centos fedora"\n')).toBe("redhat");
  expect(await style("ID=freebsd\n")).toBe("freebsd");
  expect(await style("NAME=x\n")).toContain("unknown platform");
});

test("answers of the daemon are kept, but no failure", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb", "exit 1");
  expect((await bench.functions("ctdb_get_pnn")).code).toBe(1);
  bench.standIn("ctdb", "echo 7");
  expect(await bench.functions("ctdb_get_pnn")).toEqual(saying("7"));
  bench.standIn("ctdb", "exit 1");
  expect(await bench.functions("ctdb_get_pnn")).toEqual(saying("7"));
});

test("folders of the databases may have any name", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb-config", `echo "/it's \\$HOME/$3"`);
  const ask = 'ctdb_get_db_options; echo "$CTDB_DBDIR|$CTDB_DBDIR_STATE"';
  const expected = saying(
    "/it's $HOME/volatile database directory|/it's $HOME/state database directory",
  );
  expect(await bench.functions(ask)).toEqual(expected);
  bench.standIn("ctdb-config", "exit 1");
  expect(await bench.functions(ask)).toEqual(expected);
});

test("counters and fail counts survive the script", async () => {
  using bench = new ScriptBench();
  const state = "ctdb_setup_state_dir service x;";
  expect(await bench.functions(`${state} ctdb_counter_get; ctdb_counter_incr`)).toEqual(
    saying("0"),
  );
  expect(await bench.functions(`${state} ctdb_counter_incr; ctdb_counter_get`)).toEqual(
    saying("2"),
  );
  expect(await bench.functions(`${state} ctdb_counter_init; ctdb_counter_get`)).toEqual(
    saying("0"),
  );
});

test("failcount_incr warns, then fails, and failcount_reset tells of the end", async () => {
  using bench = new ScriptBench();
  const fail = (thresholds: string) =>
    bench.functions(`ctdb_setup_state_dir a b; failcount_incr "the /thing" ${thresholds} details`);
  expect(await fail("2:3")).toEqual(SILENT);
  expect(await fail("2:3")).toEqual(
    saying("WARNING: the /thing: fail count 2 >= threshold 2", "details"),
  );
  const third = await fail("2:3");
  expect(third.output).toBe("ERROR: the /thing: fail count 3 >= threshold 3\ndetails\n");
  expect(third.code).toBe(1);
  expect((await fail("2:3")).output).toBe("ERROR: the /thing: fail count 4 >= threshold 3\n");
  expect(await bench.functions('ctdb_setup_state_dir a b; failcount_reset "the /thing"')).toEqual(
    saying("NOTICE: the /thing: no longer failing"),
  );
  expect(await fail(":2")).toEqual(SILENT);
});

test("failcount_incr without an end repeats itself by the hour only", async () => {
  using bench = new ScriptBench();
  const fail = () => bench.functions("ctdb_setup_state_dir a b; failcount_incr x 1 details");
  expect(await fail()).toEqual(saying("WARNING: x: fail count 1 >= threshold 1", "details"));
  expect(await fail()).toEqual(SILENT);
  await bench.run("touch", "-d", "2 hours ago", bench.path("state/a/b/x.last-warning"));
  expect(await fail()).toEqual(saying("WARNING: x: fail count 3 >= threshold 1", "details"));
});

test("failcount_incr tells of thresholds that are no numbers", async () => {
  using bench = new ScriptBench();
  const { output } = await bench.functions("ctdb_setup_state_dir a b; failcount_incr x 1:many");
  expect(output).toContain('WARNING: many is an invalid threshold in "x" check');
});

test("own public addresses follow the events, each once", async () => {
  using bench = new ScriptBench();
  const update = (...words: readonly string[]) =>
    bench.functions(`update_my_public_ip_addresses ${words.join(" ")}`);
  await update("takeip", "10.0.0.1");
  await update("takeip", "10.0.0.10");
  await update("takeip", "10.0.0.1");
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.0.0.10\n10.0.0.1\n");
  await update("releaseip", "10.0.0.1");
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.0.0.10\n");

  bench.standIn("ctdb", "exit 1");
  await update("ipreallocated");
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.0.0.10\n");

  bench.write("state/my-pnn", "1\n");
  bench.standIn("ctdb", 'printf "|Public IP|Node|\\n|10.0.0.1|0|\\n|10.0.0.2|1|\\n"');
  await update("ipreallocated");
  expect(bench.read("state/my-public-ip-addresses")).toBe("10.0.0.2\n");
});

test("own public addresses survive several events at the same time", async () => {
  using bench = new ScriptBench();
  const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
  await Promise.all(
    numbers.map((number) =>
      bench.functions(`update_my_public_ip_addresses takeip 10.0.0.${number}`),
    ),
  );
  const lines = bench.read("state/my-public-ip-addresses").trim().split("\n");
  expect(lines.sort()).toEqual(numbers.map((number) => `10.0.0.${number}`).sort());
});

test("connections are listed in one form, whatever ss makes of them", async () => {
  using bench = new ScriptBench();
  bench.standIn(
    "ss",
    [
      'echo "0 0 [::ffff:10.0.0.1]:445 [::ffff:10.0.0.9]:1000"',
      'echo "0 0 [fd00::1]:445 [fd00::9]:2000"',
      'echo "0 0 10.0.0.1:2049 10.0.0.9:700"',
    ].join("\n"),
  );
  expect(await bench.functions("get_tcp_connections_for_ip 10.0.0.1")).toEqual(
    saying(
      "10.0.0.1:445 10.0.0.9:1000",
      "[fd00::1]:445 [fd00::9]:2000",
      "10.0.0.1:2049 10.0.0.9:700",
    ),
  );
});

test("kill_tcp_connections resets the client of SMB, and both ends of the rest", async () => {
  using bench = new ScriptBench();
  const list = bench.path("established");
  bench.write("established", "0 0 10.0.0.1:445 10.0.0.9:1\n0 0 10.0.0.1:2049 10.0.0.9:2\n");
  bench.standIn("ss", `cat "${list}"`);
  bench.standIn("ctdb_killtcp", `cat >"${bench.path("killed")}"; sed -i -e 1d "${list}"`);
  expect(await bench.functions("kill_tcp_connections eth1 10.0.0.1")).toEqual(
    saying(
      "Killed 1/2 TCP connections to released IP 10.0.0.1",
      "Remaining connections:",
      "  10.0.0.1:2049 10.0.0.9:2",
    ),
  );
  expect(bench.calls("ctdb_killtcp")).toEqual(["eth1"]);
  expect(bench.read("killed")).toBe(
    "10.0.0.9:1 10.0.0.1:445\n10.0.0.9:2 10.0.0.1:2049\n10.0.0.1:2049 10.0.0.9:2\n",
  );

  bench.write("established", "0 0 10.0.0.1:2049 10.0.0.9:2\n");
  await bench.functions("kill_tcp_connections_local_only eth1 10.0.0.1");
  expect(bench.read("killed")).toBe("10.0.0.9:2 10.0.0.1:2049\n");
});

test("kill_tcp_connections lets the kernel do it where that is wished, and tells of a failure", async () => {
  using bench = new ScriptBench();
  bench.standIn("ss", 'case "$1" in -K) echo "0 0 10.0.0.1:445 10.0.0.9:1" ;; esac');
  bench.environment["CTDB_KILLTCP_USE_SS_KILL"] = "yes";
  expect(await bench.functions("kill_tcp_connections eth1 10.0.0.1")).toEqual(
    saying("Killed 1/1 TCP connections to released IP 10.0.0.1, using ss -K"),
  );
  bench.environment["CTDB_KILLTCP_USE_SS_KILL"] = "no";
  bench.standIn("ss", 'echo "0 0 10.0.0.1:445 10.0.0.9:1"');
  bench.standIn("ctdb_killtcp", "exit 1");
  expect(await bench.functions("kill_tcp_connections eth1 10.0.0.1")).toEqual(
    saying("Failed to kill TCP connections"),
  );
});

test("update_tickles adds what is new and deletes what is gone, IPv6 too", async () => {
  using bench = new ScriptBench();
  bench.write("state/my-public-ip-addresses", "10.0.0.1\nfd00::1\n");
  bench.standIn(
    "ss",
    'echo "0 0 10.0.0.1:445 10.0.0.9:1"; echo "0 0 10.0.0.1:445 10.0.0.9:3"; echo "0 0 [fd00::1]:445 [fd00::9]:1"',
  );
  bench.standIn(
    "ctdb",
    [
      'case "$*" in',
      '"-X gettickles 10.0.0.1") echo "|Source IP|Port|Destination IP|Port|"',
      '  echo "|10.0.0.9|1|10.0.0.1|445|"; echo "|10.0.0.9|2|10.0.0.1|445|" ;;',
      '"-X gettickles fd00::1") echo "|Source IP|Port|Destination IP|Port|"',
      '  echo "|fd00::9|1|fd00::1|445|" ;;',
      `addtickle | deltickle) { echo "$1"; cat; } >>"${bench.path("changes")}" ;;`,
      "esac",
    ].join("\n"),
  );
  expect(await bench.functions("update_tickles")).toEqual(SILENT);
  expect(bench.calls("ss")).toEqual(["-tnH state established ( src [10.0.0.1] || src [fd00::1] )"]);
  expect(bench.read("changes")).toBe(
    "addtickle\n10.0.0.9:3 10.0.0.1:445\ndeltickle\n10.0.0.9:2 10.0.0.1:445\n",
  );
});

test("ctdb_check_tcp_ports tells a free port from a daemon that cannot say", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb", 'case "$2" in 139) exit 98 ;; 445) exit 0 ;; esac; echo oops; exit 5');
  const check = (...ports: readonly string[]) =>
    bench.functions(`service_name=samba; ctdb_check_tcp_ports ${ports.join(" ")}`);
  expect(await check("139")).toEqual(SILENT);
  expect(await check("139", "445")).toEqual({
    code: 1,
    output: "samba not listening on TCP port 445\n",
  });
  expect(await check("80")).toEqual({
    code: 5,
    output: 'unexpected error (5) running "ctdb checktcpport 80"\noops\n',
  });
});

test("set_proc_maybe leaves what cannot be written", async () => {
  using bench = new ScriptBench();
  bench.write("proc/sys/net/x", "0\n");
  await bench.functions("set_proc_maybe sys/net/x 1; set_proc_maybe sys/net/missing 1");
  expect(bench.read("proc/sys/net/x")).toBe("1\n");
  expect(bench.read("proc/sys/net/missing")).toBe("");
});

test("the NFS call-out is asked once what it does", async () => {
  using bench = new ScriptBench();
  bench.standIn("callout", '[ "$1" != register ] || printf "startup\\nmonitor-post\\n"');
  bench.environment["CTDB_NFS_CALLOUT"] = bench.path("bin/callout");
  const call = (operation: string) =>
    bench.functions(`nfs_callout_init "${bench.path("state")}"; nfs_callout ${operation} x`);
  await call("startup");
  await call("takeip");
  await call("monitor-post");
  expect(bench.calls("callout")).toEqual(["register", "startup x", "monitor-post x"]);
});
