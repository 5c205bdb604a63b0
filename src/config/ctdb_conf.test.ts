import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { loadCtdbConfig } from "./ctdb_conf.ts";
import { resolvePaths } from "./paths.ts";
import { problemText } from "./problems.ts";

const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt");
const paths = resolved.ok ? resolved.value : (undefined as never);

function parse(text: string) {
  const files = { "/n/run/x": "", "/n/hung.sh": "", "/n/ctdb.conf": text };
  return loadCtdbConfig(new MemoryFiles(files, ["/db", "/n"]), paths);
}

function problems(text: string): readonly string[] {
  const outcome = parse(text);
  return (outcome.ok ? outcome.value.warnings : outcome.error).map(problemText);
}

function config(text: string) {
  const outcome = parse(text);
  if (!outcome.ok) throw new Error(outcome.error.map(problemText).join("\n"));
  return outcome.value.config;
}

test("loadCtdbConfig() of nothing gives the defaults", () => {
  expect(config("")).toMatchObject({
    logging: { logLevel: "NOTICE", location: "file:/n/log.ctdb" },
    cluster: { transport: "tcp", leaderTimeoutSec: 5, leaderCapability: true },
    database: { tdbMutexes: true, volatileDirectory: "/n/var/volatile" },
    failover: { disabled: false, shutdownExtraTimeoutSec: 0, shutdownFailoverTimeoutSec: 10 },
    legacy: { realtimeScheduling: true, lmasterCapability: true, scriptLogLevel: "ERROR" },
  });
});

test("loadCtdbConfig() reads every option", () => {
  const text = `
# a comment
[logging]
	location = syslog:udp
	log level = debug
[Cluster]
	transport = tcp
	node address = FD00::0:1
	cluster   lock = !/usr/bin/helper  /x \\
	  5
	nodes list = !/bin/cat /n/nodes
	leader timeout = 0x10
	leader capability = no
[database]
	volatile database directory = /db
	persistent database directory = /db
	state database directory = /db
	lock debug script = /somewhere/hung.sh
	tdb mutexes = FALSE
[event]
	debug script = hung.sh
[failover]
	disabled = yes
	shutdown extra timeout = 3
	shutdown failover timeout = 0
[legacy]
	realtime scheduling = false
	lmaster capability = false
	start as stopped = true
	start as disabled = true
	script log level = 5
`;
  expect(problems(text)).toEqual([]);
  expect(config(text)).toEqual({
    logging: { logLevel: "DEBUG", location: "syslog:udp" },
    cluster: {
      transport: "tcp",
      nodeAddress: "fd00::1",
      clusterLock: "!/usr/bin/helper /x 5",
      nodesList: "!/bin/cat /n/nodes",
      leaderTimeoutSec: 16,
      leaderCapability: false,
    },
    database: {
      volatileDirectory: "/db",
      persistentDirectory: "/db",
      stateDirectory: "/db",
      lockDebugScript: "/somewhere/hung.sh",
      tdbMutexes: false,
    },
    event: { debugScript: "hung.sh" },
    failover: { disabled: true, shutdownExtraTimeoutSec: 3, shutdownFailoverTimeoutSec: 0 },
    legacy: {
      realtimeScheduling: false,
      lmasterCapability: false,
      startAsStopped: true,
      startAsDisabled: true,
      scriptLogLevel: "INFO",
    },
  });
});

test("loadCtdbConfig() reports every problem with line, value and what is expected", () => {
  const text = `outside = 1
[logging]
log level = LOUD
location = /var/log/x
[cluster]
transport = ib
node address = 10.0.0.300
leader timeout = 5x
leader capability = maybe
cluster lock =
no equals
[database]
state database directory = /missing
[failover
`;
  expect(problems(text)).toEqual([
    '"/n/ctdb.conf": line 1: expected a section before "outside = 1"; it is ignored',
    '"/n/ctdb.conf": line 3: [logging] log level: expected ERROR, WARNING, NOTICE, INFO, DEBUG or a number from 0 to 10, got "LOUD"',
    '"/n/ctdb.conf": line 4: [logging] location: expected file:PATH, syslog or syslog:nonblocking|udp|udp-rfc5424, got "/var/log/x"',
    '"/n/ctdb.conf": line 6: [cluster] transport: expected "tcp", got "ib"',
    '"/n/ctdb.conf": line 7: [cluster] node address: expected an IP address, got "10.0.0.300"',
    '"/n/ctdb.conf": line 8: [cluster] leader timeout: expected a whole number of seconds from 1 to 2147483647, got "5x"',
    '"/n/ctdb.conf": line 9: [cluster] leader capability: expected true or false, got "maybe"',
    '"/n/ctdb.conf": line 10: [cluster] cluster lock: expected a value, got ""',
    '"/n/ctdb.conf": line 11: expected "name = value", got "no equals"',
    '"/n/ctdb.conf": line 13: [database] state database directory: expected a directory that exists, got "/missing"',
    '"/n/ctdb.conf": line 14: expected "]" after the section\'s name, got "[failover"',
  ]);
});

test("loadCtdbConfig() takes every form of a location that the logger takes", () => {
  for (const location of ["syslog", "syslog:", "syslog:udp", "file:", "file", "file:-", "file:x"]) {
    expect(config(`[logging]\nlocation = ${location}\n`).logging.location).toBe(location);
  }
  for (const location of ["syslog:tcp", "journal", "file:/missing/log"]) {
    expect(problems(`[logging]\nlocation = ${location}\n`)).toHaveLength(1);
  }
});

test("loadCtdbConfig() leaves spaces of Unicode where they are", () => {
  expect(config("[cluster]\ncluster lock = /a\u00a0\u3000b\n").cluster.clusterLock).toBe(
    "/a\u00a0\u3000b",
  );
});

test("loadCtdbConfig() reads seconds as the original does, but nothing behind them", () => {
  const timeout = (value: string) => `[cluster]\nleader timeout = ${value}\n`;
  const read = ["010", "0x10", "0X10", "+5", "2147483647"].map(
    (value) => config(timeout(value)).cluster.leaderTimeoutSec,
  );
  expect(read).toEqual([8, 16, 16, 5, 2_147_483_647]);
  for (const value of ["08", "5x", "-5", "0", "2147483648", "9".repeat(30)]) {
    expect(problems(timeout(value))).toHaveLength(1);
  }
});

test("loadCtdbConfig() warns of unknown names and deprecated ones and goes on", () => {
  const text = "[nosuch]\na = b\n[cluster]\nfoo = bar\nrecovery lock = /old\n";
  expect(problems(text)).toEqual([
    '"/n/ctdb.conf": line 1: expected one of the sections logging, cluster, database, event, failover, legacy, got "nosuch"; what it holds is ignored',
    '"/n/ctdb.conf": line 4: expected an option of [cluster], got "foo"; it is ignored',
    '"/n/ctdb.conf": line 5: [cluster] recovery lock: deprecated: use "cluster lock"',
  ]);
  expect(config(text).cluster.clusterLock).toBe("/old");
});
