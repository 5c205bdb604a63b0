/** A cluster of two scripted nodes that has something to say to every command: for the documents of --json. */
import { u64 } from "../../src/base/u64.ts";
import { runEventTool } from "../../src/services/tool/event_tool.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { decodeExact, EMPTY, encode, i32Codec, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { Reader } from "../../src/wire/reader.ts";
import { disableMessage, srvidMessage } from "../../src/wire/structs/cluster.ts";
import { ltdbHeader, recData } from "../../src/wire/structs/records.ts";
import { RELOAD_MAGIC, reloadReport } from "../../src/wire/structs/reload.ts";
import { parseAddress } from "../../src/wire/structs/socket_address.ts";
import { statistics } from "../../src/wire/structs/statistics.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { fakeMachine } from "../support/fake_machine.ts";
import { FakeScripts } from "../support/fake_scripts.ts";
import { must } from "../support/must.ts";
import { eventAt, journalOf, STATE, TIME, WHY_BANNED, withJournals } from "./journal_world.ts";
import { KEPT, LOCKS, NAMES, withNamedDatabases } from "./named_databases.ts";
import { withNodesFiles } from "./nodes_files_world.ts";
import { BASE, daemon, nodeAt, type ToolWorld } from "./tool_harness.ts";

export const KEY = "k";
const HEADER = encode(ltdbHeader, { rsn: u64(1, 2), dmaster: 0, reserved1: 0, flags: 0x10000 });
const ADDRESS = must(parseAddress("10.0.0.31"));
const LATENCY = { num: 3, min: 0.25, max: 0.5, total: 1 };
const IFACES = [{ name: "eth0", link_state: 1, references: 2 }];
const NODES_FILE = "10.0.0.1\n10.0.0.2\n";
const BACKUP = "/backup";
const NOTHING_RELOADED = { magic: RELOAD_MAGIC, refused: 0, lines: [] };

function withDatabases(ctdbd: FakeCtdbd): FakeCtdbd {
  return withNamedDatabases(ctdbd)
    .on("SCHEDULE_FOR_DELETION", () => ({}))
    .on("GET_DB_SEQNUM", () => ({ data: u64(1, 0xfffffffe) }))
    .on("TRAVERSE_START_EXT", ({ srvid }) => {
      setImmediate(() => {
        for (const [key, data] of [
          [KEY, [...HEADER, 0x41]],
          ["\xff\0", [...HEADER, 0xff, 0]],
          ["", []],
        ] as const) {
          const record = { reqid: 0, key: textBytes(key), data: new Uint8Array(data) };
          ctdbd.sendMessage(srvid, encode(recData, record));
        }
      });
      return {};
    });
}

function withStatistics(ctdbd: FakeCtdbd): FakeCtdbd {
  const zeros = statistics.decode(new Reader(new Uint8Array(statistics.minSize)));
  const some = {
    ...zeros,
    frozen: 1,
    call_latency: LATENCY,
    statistics_start_time: { sec: 1_795_240_266, usec: 250_000 },
    statistics_current_time: { sec: 1_795_240_346, usec: 0 },
  };
  const hot = { count: 7, key: textBytes(KEY) };
  return ctdbd
    .on("STATISTICS", () => ({ data: some }))
    .on("GET_STAT_HISTORY", () => ({
      data: { num: 2, entries: [some, some, ...Array.from({ length: 98 }, () => zeros)] },
    }))
    .on("GET_DB_STATISTICS", () => ({
      data: {
        locks: zeros.locks,
        vacuum_latency: LATENCY,
        db_ro_delegations: 1,
        db_ro_revokes: 2,
        hop_count_bucket: zeros.hop_count_bucket,
        hot_keys: [hot, ...Array.from({ length: 9 }, () => ({ count: 0, key: EMPTY }))],
      },
    }));
}

/** What the node says of itself, and what it does when it is told to. */
function withState(ctdbd: FakeCtdbd): FakeCtdbd {
  const at = (sec: number, usec = 0) => ({ sec, usec });
  for (const name of ["ADD_PUBLIC_IP", "DEL_PUBLIC_IP", "SET_TUNABLE", "SET_DEBUG"] as const) {
    ctdbd.on(name, () => ({}));
  }
  ctdbd.onMessage = ({ srvid, destnode, data }) => {
    if (srvid.hi === SRVID.MEM_DUMP.hi && srvid.hi !== 0) {
      const asked = decodeExact(srvidMessage, data);
      if (asked.ok) ctdbd.sendMessage(asked.value.srvid, textBytes("none\0"));
      return;
    }
    const asked = decodeExact(disableMessage, data);
    if (asked.ok) ctdbd.sendMessage(asked.value.srvid, encode(i32Codec, destnode));
  };
  return ctdbd
    .on("UPTIME", () => ({
      data: {
        current_time: at(1000, 500_000),
        ctdbd_start_time: at(100),
        last_recovery_started: at(200),
        last_recovery_finished: at(201, 250_000),
      },
    }))
    .on("PING", () => ({ status: 3, data: encode(reloadReport, NOTHING_RELOADED) }))
    .on("GET_PID", () => ({ status: 4711 }))
    .on("PROCESS_EXISTS", (pid) => ({ status: pid === 1 ? 0 : -1 }))
    .on("GET_CAPABILITIES", () => ({ data: 3 }))
    .on("GET_DEBUG", () => ({ data: 3 }))
    .on("DUMP_MEMORY", () => ({ data: textBytes("none\0") }))
    .on("LIST_TUNABLES", () => ({ data: "MonitorInterval:TDBMutexEnabled" }))
    .on("GET_TUNABLE", () => ({ data: 15 }))
    .on("GET_RECLOCK_FILE", () => ({ data: textBytes("/clusterfs/lock\0") }))
    .on("GET_IFACES", () => ({ data: IFACES }))
    .on("GET_PUBLIC_IPS", () => ({ data: [{ addr: ADDRESS, pnn: 0 }] }))
    .on("GET_PUBLIC_IP_INFO", (addr, pnn) => ({
      data: { head: { ip: { addr, pnn }, active_idx: 0 }, ifaces: IFACES },
    }))
    .on("GET_TCP_TICKLE_LIST", (addr) => ({
      data: { addr, connections: [{ src: must(parseAddress("10.9.9.9", 50001)), dst: addr }] },
    }))
    .on("RELOAD_NODES_FILE", () => ({}))
    .on("GET_NODES_FILE", () => ({ data: [nodeAt(0), nodeAt(1)] }))
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 1)));
      return {};
    });
}

function tdbs(): NonNullable<ToolWorld["tdbs"]> {
  const { opener, disk } = createMemoryTdbs();
  for (const id of NAMES.values()) {
    const file = { path: `/db/${id}`, flags: TDB_FLAGS.VOLATILE, hashSize: 11, create: true };
    const tdb = must(opener.open(file));
    const key = id === LOCKS ? `transaction_db_0x0000000${KEPT}\0` : KEY;
    must(tdb.storeParts(textBytes(key), HEADER, id === LOCKS ? EMPTY : textBytes("va\xfflue")));
  }
  return createMemoryTdbs({ disk }).opener;
}

const NODE_STATUS = "pnn:0 10.0.0.1 OK (THIS NODE)\npnn:1 10.0.0.2 DISCONNECTED|UNHEALTHY\n";

/** By name and first argument. */
const SCRIPTS: Readonly<Record<string, readonly [out: string, status: number]>> = {
  "ctdb_natgw leader": ["0 10.0.0.1\n", 0],
  "ctdb_natgw list": ["10.0.0.1\tLEADER\n10.0.0.2\tfollower-only\n", 0],
  "ctdb_natgw status": [NODE_STATUS, 0],
  "ctdb_lvs leader": ["", 255],
  "ctdb_lvs list": ["0 10.0.0.1\n", 0],
  "ctdb_lvs status": [NODE_STATUS, 0],
};

function scripted(name: string): NonNullable<ToolWorld["helpers"]>[string] {
  return ([what], output) => {
    const [out, status] = SCRIPTS[`${name} ${what}`] ?? ["", 1];
    output?.out(textBytes(out));
    return { kind: "status", status };
  };
}

/** The event tool itself, with an event daemon that knows one event. */
const eventHelper: NonNullable<ToolWorld["helpers"]>[string] = async (args, output) => {
  const script = (name: string, result: number, out?: string) => ({
    ...{ name, result, output: out },
    ...{ begin: { sec: 100, usec: 0 }, end: { sec: 101, usec: 500_000 } },
  });
  const scripts = [script("00.a", 0, "said\n"), script("10.b", -8), script("20.c", -110)];
  const status = { summary: -110, scripts };
  const result = await runEventTool(
    {
      environment: {},
      etcDirectory: "/etc/ctdb",
      dataDirectory: "/etc/ctdb",
      files: new FakeScripts("/etc/ctdb/events/legacy", ["00.a.script"]),
      ask: async (request) => {
        if (request.command === "run") return { ok: true, value: { command: "run", result: 0 } };
        const known = request.command === "status" && request.event === "monitor";
        const value = known
          ? ({ command: "status", result: 0, status } as const)
          : ({ command: "status", result: 22, status: undefined } as const);
        return { ok: true, value };
      },
      out: (text) => output?.out(textBytes(text)),
      err: (text) => output?.err(textBytes(text)),
    },
    args,
  );
  return { kind: "status", status: result };
};

/** A world anew: commands change it. `flags` are those of node 0. */
export function documentsWorld(flags = 0): ToolWorld {
  const ctdbd = withState(withStatistics(withDatabases(daemon([nodeAt(0, flags), nodeAt(1)]))));
  ctdbd.answerLater = setImmediate;
  withJournals(ctdbd, [0, 1], (pnn, { pathname }) => {
    if (pathname.endsWith("/why")) return { document: WHY_BANNED };
    if (pathname.endsWith("/state")) return { document: STATE };
    return { document: journalOf(pnn, [eventAt(pnn, 1, TIME, "Node 1 is connected")]) };
  });
  withNodesFiles(ctdbd, [NODES_FILE, NODES_FILE]);
  return {
    ctdbd,
    machine: fakeMachine({}, []),
    network: {
      // The scripted daemon speaks no event protocol.
      connectUnix: (path, connected) =>
        ctdbd.network.connectUnix(path.endsWith("/eventd.socket") ? "/nowhere" : path, connected),
    },
    tdbs: tdbs(),
    files: { [`${BASE}/nodes`]: NODES_FILE },
    opened: new Map([
      [BACKUP, new Uint8Array(0)],
      // Its size is looked at, not its content.
      [`/db/${KEPT}`, new Uint8Array(696)],
    ]),
    helpers: {
      "ctdb-event": eventHelper,
      ctdb_natgw: scripted("ctdb_natgw"),
      ctdb_lvs: scripted("ctdb_lvs"),
    },
    ports: [445],
  };
}

export const DISABLED = NODE_FLAGS.PERMANENTLY_DISABLED;
