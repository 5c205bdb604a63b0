/** Commands against a scripted daemon; texts and statuses were recorded from Debian's ctdb 4.17. */
import { expect, test } from "bun:test";
import { u64 } from "../../src/base/u64.ts";
import { decodeExact, EMPTY, encode, i32Codec, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { BROADCAST_CONNECTED } from "../../src/wire/packet.ts";
import { srvidMessage } from "../../src/wire/structs/cluster.ts";
import { recData } from "../../src/wire/structs/records.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { BASE, daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const THREE = [nodeAt(0), nodeAt(1), nodeAt(2, GONE)];

test("an unknown command, a refused -n and wrong options exit 1 with the reason", async () => {
  const line = async (...args: string[]) => {
    const { status, err } = await runCtdb({ ctdbd: daemon(THREE) }, ...args);
    return [status, err];
  };
  expect(await line("foo")).toEqual([1, "Unknown command 'foo'\n"]);
  expect(await line("statu")).toEqual([1, "Unknown command 'statu'\nDid you mean 'status'?\n"]);
  expect(await line("statu", "--help")).toEqual(await line("statu"));
  expect(await line("-n", "1", "pnn")).toEqual([1, "Node cannot be specified for command pnn\n"]);
  expect(await line("-n", "1", "version")).toEqual([
    1,
    "Cannot specify node for command version\n",
  ]);
  expect(await line("-n", "7", "ping")).toEqual([1, "Node 7 does not exist\n"]);
  expect(await line("-n", "2", "ping")).toEqual([
    1,
    "Node 2 has status DISCONNECTED|UNHEALTHY|INACTIVE\n",
  ]);
  expect(await line("-j", "-X", "status")).toEqual([
    1,
    "--json and -Y options are mutually exclusive\n",
  ]);
});

test("wrong arguments show the command's usage on standard output and exit 1", async () => {
  const run = await runCtdb({ ctdbd: daemon(THREE) }, "getvar");
  expect(run.status).toBe(1);
  expect(run.err).toBe("");
  expect(run.out).toEndWith(
    "\nCommands:\n  getvar          <name>                       get a tunable variable\n",
  );
});

test("without a daemon the tool says what it tried and looks for this node", async () => {
  const conf = { [`${BASE}/nodes`]: "10.0.0.1\n10.0.0.2\n" };
  const head = `connect() failed, errno=2\nFailed to connect to CTDB daemon (${BASE}/run/ctdbd.socket)\n`;
  expect(await runCtdb({ files: conf, addresses: ["10.0.0.2"] }, "status")).toEqual({
    status: 1,
    out: "",
    err: head,
  });
  expect((await runCtdb({ files: conf }, "status")).err).toBe(
    `${head}Failed to detect PNN of the current node.\nIs this node part of CTDB cluster?\n`,
  );
  expect((await runCtdb({}, "status")).err).toBe(
    `${head}Failed to read nodes from "${BASE}/nodes"\nIs this node part of CTDB cluster?\n`,
  );
});

test("a request that is refused or not answered gives its status", async () => {
  const refused = daemon(THREE).on("PING", () => ({ status: -1 }));
  expect(await runCtdb({ ctdbd: refused }, "ping")).toEqual({
    status: 1,
    out: "",
    err: "Control PING failed, ret=-1\n",
  });
  const time = new ManualTime();
  const silent = daemon(THREE).on("PING", () => "silent");
  const run = runCtdb({ ctdbd: silent, time }, "-t", "3", "-n", "1", "ping");
  await time.advance(3000);
  expect(await run).toEqual({
    status: 110,
    out: "",
    err: "Control PING failed to node 1, ret=110\n",
  });
});

test("the run time limit ends a command that waits", async () => {
  const time = new ManualTime();
  const ctdbd = daemon(THREE).on("PING", () => "silent");
  const environment = { CTDB_TIMEOUT: "2" };
  const run = runCtdb({ ctdbd, time, environment }, "ping");
  await time.advance(2000);
  expect(await run).toEqual({
    status: 1,
    out: "",
    err: "Maximum runtime exceeded - exiting\n",
  });
  const wrong = await runCtdb({ ctdbd, environment: { CTDB_TIMEOUT: "soon" } }, "ping");
  expect(wrong.err).toBe("Invalid value CTDB_TIMEOUT\n");
});

test("a daemon that dies in the middle ends the command", async () => {
  const ctdbd = daemon(THREE);
  ctdbd.on("PING", () => {
    queueMicrotask(() => ctdbd.drop());
    return "silent";
  });
  const run = await runCtdb({ ctdbd }, "ping");
  expect(run.status).toBe(1);
  expect(run.err).toStartWith("Connection to CTDB daemon lost");
});

test("version, pnn, ping, getpid, getdebug, getreclock", async () => {
  const ctdbd = daemon(THREE, 1)
    .on("PING", () => ({ status: 2 }))
    .on("GET_PID", () => ({ status: 20794 }))
    .on("GET_DEBUG", () => ({ data: 4 }))
    .on("GET_RECLOCK_FILE", () => ({ data: textBytes("/clusterfs/lock\0") }));
  const out = async (...args: string[]) => (await runCtdb({ ctdbd }, ...args)).out;
  expect(await out("version")).toBe("9.9.9\n");
  expect(await out("-j", "version")).toBe('{\n  "version": "9.9.9"\n}');
  expect(await out("pnn")).toBe("1\n");
  expect(await out("-n", "0", "ping")).toBe("response from 0 time=0.000000 sec  (2 clients)\n");
  expect(await out("getpid")).toBe("20794\n");
  expect(await out("getdebug")).toBe("NOTICE\n");
  expect(await out("getreclock")).toBe("/clusterfs/lock\n");
  ctdbd.on("GET_RECLOCK_FILE", () => ({ data: EMPTY }));
  expect(await out("getreclock")).toBe("");
});

test("setdebug takes names and numbers and refuses others", async () => {
  const ctdbd = daemon(THREE).on("SET_DEBUG", () => ({}));
  const sent = () => ctdbd.controls.filter(({ name }) => name === "SET_DEBUG").at(-1)?.request;
  await runCtdb({ ctdbd }, "setdebug", "INFO");
  expect(sent()).toBe(5);
  await runCtdb({ ctdbd }, "setdebug", "4");
  expect(sent()).toBe(4);
  expect((await runCtdb({ ctdbd }, "setdebug", "foo")).err).toBe(
    "Invalid debug level 'foo'. Valid levels are:\n\tERROR | WARNING | NOTICE | INFO | DEBUG\n",
  );
});

test("uptime shows times in local time and durations", async () => {
  const at = (sec: number, usec = 0) => ({ sec, usec });
  const ctdbd = daemon(THREE).on("UPTIME", () => ({
    data: {
      current_time: at(1_000_090_061),
      ctdbd_start_time: at(1_000_000_000),
      last_recovery_started: at(1_000_000_001, 500_000),
      last_recovery_finished: at(1_000_000_003, 250_000),
    },
  }));
  const { out } = await runCtdb({ ctdbd }, "uptime");
  const lines = out
    .split("\n")
    .map((line) => line.replace(/\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}/, "T"));
  expect(lines).toEqual([
    "Current time of node 0        :                T",
    "Ctdbd start time              : (001 01:01:01) T",
    "Time of last recovery/failover: (001 01:00:58) T",
    "Duration of last recovery/failover: 1.750000 seconds",
    "",
  ]);
});

test("runstate checks the state against those that are wanted", async () => {
  const ctdbd = daemon(THREE);
  const run = async (...states: string[]) => {
    const { status, out } = await runCtdb({ ctdbd }, "runstate", ...states);
    return [status, out];
  };
  expect(await run()).toEqual([0, "RUNNING\n"]);
  expect(await run("startup", "running")).toEqual([0, "RUNNING\n"]);
  expect(await run("init")).toEqual([1, "CTDB not in required run state (got RUNNING)\n"]);
  expect(await run("foo")).toEqual([1, "Invalid run state (foo)\n"]);
});

test("process-exists gives its answer as status", async () => {
  const ctdbd = daemon(THREE)
    .on("PROCESS_EXISTS", (pid) => ({ status: pid === 5 ? 0 : -1 }))
    .on("CHECK_PID_SRVID", () => ({ status: -1 }));
  const run = async (...args: string[]) => {
    const { status, out, err } = await runCtdb({ ctdbd }, "process-exists", ...args);
    return [status, out, err];
  };
  expect(await run("5")).toEqual([0, "PID 5 exists\n", ""]);
  expect(await run("abc")).toEqual([1, "PID 0 does not exist\n", ""]);
  expect(await run("5", "0xAB")).toEqual([1, "PID 5 with SRVID 0xab does not exist\n", ""]);
  expect(await run("5", "x")).toEqual([22, "", ""]);
});

test("getvar, setvar and listvars", async () => {
  const values = new Map([
    ["MonitorInterval", 15],
    ["TDBMutexEnabled", 1],
  ]);
  const ctdbd = daemon(THREE)
    .on("LIST_TUNABLES", () => ({ data: [...values.keys()].join(":") }))
    .on("GET_TUNABLE", ({ name }) => ({ data: name === "TDBMutexEnabled" ? 1 : 15 }))
    .on("SET_TUNABLE", ({ name }) => ({ status: name === "TDBMutexEnabled" ? 1 : 0 }));
  const run = (...args: string[]) => runCtdb({ ctdbd }, ...args);
  expect((await run("getvar", "monitorinterval")).out).toBe("monitorinterval            = 15\n");
  expect(await run("getvar", "foo")).toEqual({
    status: 1,
    out: "No such tunable foo\n",
    err: "",
  });
  expect((await run("listvars")).out).toBe(
    "MonitorInterval            = 15\nTDBMutexEnabled            = 1\n",
  );
  expect((await run("setvar", "MonitorInterval", "0x20")).status).toBe(0);
  expect(ctdbd.controls.at(-1)?.request).toEqual({ value: 32, name: "MonitorInterval" });
  expect((await run("setvar", "MonitorInterval", "abc")).status).toBe(22);
  expect(await run("setvar", "TDBMutexEnabled", "1")).toEqual({
    status: 0,
    out: "",
    err: "Control SET_TUNABLE failed, ret=1\nSetting obsolete tunable variable 'TDBMutexEnabled'\n",
  });
});

test("getcapabilities and the roles", async () => {
  const ctdbd = daemon(THREE)
    .on("GET_CAPABILITIES", () => ({ data: 0x30002 }))
    .on("SET_LMASTERROLE", () => ({}));
  expect((await runCtdb({ ctdbd }, "getcapabilities")).out).toBe("LEADER: NO\nLMASTER: YES\n");
  expect((await runCtdb({ ctdbd }, "-X", "getcapabilities")).out).toBe("|LEADER|LMASTER|\n|0|1|\n");
  expect((await runCtdb({ ctdbd }, "-n", "1", "setlmasterrole", "off")).status).toBe(0);
  expect(ctdbd.controls.at(-1)).toMatchObject({ destnode: 1, request: 0 });
  expect((await runCtdb({ ctdbd }, "setlmasterrole", "maybe")).status).toBe(1);
});

test("listnodes reads the nodes file or runs the command of ctdb.conf", async () => {
  const files = { [`${BASE}/nodes`]: "10.0.0.1\n#10.0.0.2\n10.0.0.3\n" };
  expect((await runCtdb({ files }, "listnodes")).out).toBe("10.0.0.1\n10.0.0.3\n");
  expect((await runCtdb({ files }, "-X", "listnodes")).out).toBe("|0|10.0.0.1|\n|2|10.0.0.3|\n");
  const conf = { [`${BASE}/ctdb.conf`]: "[cluster]\n nodes list = !/bin/list  all\n" };
  const commands = { "/bin/list": "10.9.9.9\n" };
  expect((await runCtdb({ files: conf, commands }, "listnodes")).out).toBe("10.9.9.9\n");
});

function withDatabases(ctdbd: FakeCtdbd): FakeCtdbd {
  return ctdbd
    .on("GET_DBMAP", () => ({
      data: [
        { db_id: 0x3880c3f1, flags: DB_FLAGS.PERSISTENT },
        { db_id: 0x445c6ab, flags: DB_FLAGS.STICKY },
      ],
    }))
    .on("GET_DBNAME", (id) => ({ data: id === 0x445c6ab ? "test.tdb" : "pers.tdb" }))
    .on("GETDBPATH", (id) => ({ data: `/db/${id.toString(16)}` }))
    .on("DB_GET_HEALTH", (id) => ({ data: id === 0x445c6ab ? EMPTY : textBytes("torn\0") }))
    .on("DB_ATTACH", () => ({ data: 0x445c6ab }))
    .on("SET_DB_STICKY", () => ({}))
    .on("DB_OPEN_FLAGS", () => ({ data: 0x1c41 }));
}

test("getdbmap lists the databases", async () => {
  const ctdbd = withDatabases(daemon(THREE));
  expect((await runCtdb({ ctdbd }, "getdbmap")).out).toBe(
    "Number of databases:2\n" +
      "dbid:0x3880c3f1 name:pers.tdb path:/db/3880c3f1 PERSISTENT UNHEALTHY\n" +
      "dbid:0x0445c6ab name:test.tdb path:/db/445c6ab STICKY\n",
  );
  expect((await runCtdb({ ctdbd }, "-X", "getdbmap")).out).toBe(
    "|ID|Name|Path|Persistent|Sticky|Unhealthy|Readonly|Replicated|\n" +
      "|0x3880C3F1|pers.tdb|/db/3880c3f1|1|0|1|0|0|\n" +
      "|0x0445C6AB|test.tdb|/db/445c6ab|0|1|0|0|0|\n",
  );
});

test("getdbstatus takes a name or an id with 0x", async () => {
  const ctdbd = withDatabases(daemon(THREE));
  const byName = await runCtdb({ ctdbd }, "getdbstatus", "test.tdb");
  expect(byName.out).toBe(
    "dbid: 0x0445c6ab\nname: test.tdb\npath: /db/445c6ab\nPERSISTENT: no\nREPLICATED: no\n" +
      "STICKY: yes\nREADONLY: no\nHEALTH: OK\n",
  );
  expect(await runCtdb({ ctdbd }, "getdbstatus", "0x0445c6ab")).toEqual(byName);
  for (const wrong of ["other.tdb", "71681707", "0x12"]) {
    expect(await runCtdb({ ctdbd }, "getdbstatus", wrong)).toEqual({
      status: 1,
      out: "",
      err: `No database matching '${wrong}' found\n`,
    });
  }
});

test("attach says which step failed", async () => {
  const ctdbd = withDatabases(daemon(THREE)).on("DB_ATTACH_PERSISTENT", () => ({ status: -1 }));
  expect(await runCtdb({ ctdbd }, "attach", "test.tdb", "persistent")).toEqual({
    status: 1,
    out: "",
    err: "attach: test.tdb failed to get db_id, ret=-1\n",
  });
  expect((await runCtdb({ ctdbd }, "attach", "test.tdb")).status).toBe(0);
  expect((await runCtdb({ ctdbd }, "attach", "test.tdb", "sticky")).status).toBe(0);
  const told = ctdbd.controls.filter(({ name }) => name === "SET_DB_STICKY");
  expect(told.map(({ destnode }) => destnode)).toEqual([0, 1]);
});

test("catdb shows every record that the traverse sends", async () => {
  const ctdbd = withDatabases(daemon(THREE));
  const header = { rsn: u64(0, 3), dmaster: 1, reserved1: 0, flags: 0x10000 };
  const record = (key: string, data: Uint8Array) =>
    encode(recData, { reqid: 0, key: textBytes(key), data });
  ctdbd.on("TRAVERSE_START_EXT", ({ srvid }) => {
    const head = new Uint8Array(24);
    new DataView(head.buffer).setUint32(0, header.rsn.lo, true);
    head[8] = header.dmaster;
    head[18] = 1;
    setImmediate(() => {
      ctdbd.sendMessage(srvid, record('k"1\n', new Uint8Array([...head, 0x41, 0x5c, 0xff])));
      ctdbd.sendMessage(srvid, record("empty", head));
      ctdbd.sendMessage(srvid, textBytes("garbage"));
      ctdbd.sendMessage(srvid, record("", EMPTY));
    });
    return {};
  });
  expect(await runCtdb({ ctdbd }, "catdb", "test.tdb")).toEqual({
    status: 0,
    err: "",
    out:
      'key(4) = "k\\221\\0A"\ndmaster: 1\nrsn: 3\nflags: 0x00010000 MIGRATED_WITH_DATA\n' +
      'data(3) = "A\\5C\\FF"\n\nDumped 1 records\n',
  });
});

/** A recovery daemon that answers takeover runs. */
function withTakeover(ctdbd: FakeCtdbd, status: number): FakeCtdbd {
  ctdbd.onMessage = ({ srvid, data }) => {
    if (srvid.hi !== SRVID.TAKEOVER_RUN.hi) return;
    const message = decodeExact(srvidMessage, data);
    if (message.ok) ctdbd.sendMessage(message.value.srvid, encode(i32Codec, status));
  };
  return ctdbd;
}

test("disable waits for the flag and then for a takeover run", async () => {
  const time = new ManualTime();
  let flags = 0;
  const ctdbd = withTakeover(daemon(THREE), 1)
    .on("GET_NODEMAP", () => ({ data: [nodeAt(0), nodeAt(1, flags)] }))
    .on("DISABLE_NODE", () => ({}));
  let ended = false;
  const run = runCtdb({ ctdbd, time }, "-n", "1", "disable").then((outcome) => {
    ended = true;
    return outcome;
  });
  await time.advance(500);
  expect([ended, ctdbd.messages.length]).toEqual([false, 0]);
  flags = NODE_FLAGS.PERMANENTLY_DISABLED;
  await time.advance(500);
  expect(await run).toEqual({ status: 0, out: "", err: "" });
  expect(ctdbd.messages[0]?.destnode).toBe(BROADCAST_CONNECTED);
});

test("disable, enable, stop, continue, ban, unban say when there is nothing to do", async () => {
  const said = async (flags: number, ...args: string[]) => {
    const run = await runCtdb({ ctdbd: daemon([nodeAt(0, flags), nodeAt(1)]) }, ...args);
    return [run.status, run.err];
  };
  const { PERMANENTLY_DISABLED, STOPPED, BANNED } = NODE_FLAGS;
  expect(await said(PERMANENTLY_DISABLED, "disable")).toEqual([0, "Node 0 is already disabled\n"]);
  expect(await said(0, "enable")).toEqual([0, "Node 0 is not disabled\n"]);
  expect(await said(STOPPED, "stop")).toEqual([0, "Node 0 is already stopped\n"]);
  expect(await said(0, "continue")).toEqual([0, "Node 0 is not stopped\n"]);
  expect(await said(BANNED, "ban", "5")).toEqual([0, "Node 0 is already banned\n"]);
  expect(await said(0, "unban")).toEqual([0, "Node 0 is not banned\n"]);
  expect(await said(0, "ban", "0")).toEqual([22, "Ban time cannot be zero\n"]);
  expect(await said(0, "ban", "x")).toEqual([22, ""]);
});

test("stop that the node refuses names the node", async () => {
  const ctdbd = daemon(THREE).on("STOP_NODE", () => ({ status: -1 }));
  expect(await runCtdb({ ctdbd }, "stop")).toEqual({
    status: 1,
    out: "",
    err: "Control STOP_NODE failed, ret=-1\nFailed to stop node 0\n",
  });
});

test("ipreallocate asks again until somebody leads, and gives a failure as status", async () => {
  const time = new ManualTime();
  const ctdbd = daemon(THREE);
  const run = runCtdb({ ctdbd, time }, "-t", "2", "ipreallocate");
  await time.advance(4100);
  expect(ctdbd.messages).toHaveLength(3);
  withTakeover(ctdbd, -5);
  await time.advance(2000);
  expect((await run).status).toBe(251);
});

test("shutdown of the own node waits until the connection ends", async () => {
  const ctdbd = daemon(THREE);
  let ended = false;
  const run = runCtdb({ ctdbd }, "shutdown").then((outcome) => {
    ended = true;
    return outcome;
  });
  await settle();
  expect([ended, ctdbd.controls.at(-1)?.name]).toEqual([false, "SHUTDOWN"]);
  ctdbd.drop();
  expect(await run).toEqual({ status: 0, out: "", err: "" });
});

test("recover waits for a new generation of the leader", async () => {
  const time = new ManualTime();
  let generation = 5;
  const ctdbd = daemon(THREE)
    .on("GETVNNMAP", () => ({ data: { generation, map: [0] } }))
    .on("SET_RECMODE", () => {
      setTimeout(() => {
        generation = 6;
      }, 0);
      return {};
    });
  ctdbd.on("REGISTER_SRVID", () => {
    setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 1)));
    return {};
  });
  let ended = false;
  const run = runCtdb({ ctdbd, time }, "recover").then((outcome) => {
    ended = true;
    return outcome;
  });
  while (!ended) await time.advance(100);
  expect(await run).toEqual({ status: 0, out: "", err: "" });
  const asked = ctdbd.controls.filter(({ name }) => name === "GETVNNMAP");
  expect(new Set(asked.map(({ destnode }) => destnode))).toEqual(new Set([1]));
});
