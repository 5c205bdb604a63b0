/** A cluster and a machine that `ctdb doctor` finds nothing wrong with, but for the event daemon, which no test has. */
import { SystemError } from "../../src/base/errors.ts";
import { err } from "../../src/base/result.ts";
import type { Machine } from "../../src/cli/doctor/machine.ts";
import { TUNABLES } from "../../src/config/tunables.ts";
import { decodeExact, encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { CAPABILITIES, SRVID } from "../../src/wire/constants.ts";
import { statistics } from "../../src/wire/structs/statistics.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { fakeMachine } from "../support/fake_machine.ts";
import type { ManualTime } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { BASE, daemon, nodeAt, type ToolWorld } from "./tool_harness.ts";

const LOCK = "/clusterfs/lock";
export const DOCTOR_FILES = {
  [`${BASE}/ctdb.conf`]: `[cluster]\n\tcluster lock = ${LOCK}\n`,
  [`${BASE}/nodes`]: "10.0.0.1\n10.0.0.2\n",
  [`${BASE}/events/legacy/50.samba.script`]: "#!/bin/sh\n",
  "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper": "",
  "/clusterfs/data": "",
};
export const DOCTOR_DIRECTORIES = ["volatile", "persistent", "state"]
  .map((name) => `${BASE}/var/${name}`)
  .concat(BASE, `${BASE}/run`);
const NODES = [nodeAt(0), nodeAt(1)];
const STATISTICS = must(decodeExact(statistics, new Uint8Array(statistics.minSize)));
const at = (sec: number) => ({ sec, usec: 0 });

/** Nothing is wrong with its cluster; `offsets` are what clocks of nodes are ahead, in seconds. */
export function healthyDaemon(time: ManualTime, offsets: readonly number[] = []): FakeCtdbd {
  const ctdbd = daemon(NODES)
    .on("UPTIME", (_, pnn) => ({
      data: {
        current_time: { ...time.wallTime(), sec: time.wallTime().sec + (offsets[pnn] ?? 0) },
        ctdbd_start_time: at(0),
        last_recovery_started: at(0),
        last_recovery_finished: at(0),
      },
    }))
    .on("GET_NODES_FILE", () => ({ data: NODES }))
    .on("GET_ALL_TUNABLES", () => ({ data: TUNABLES.map(({ defaultValue }) => defaultValue) }))
    .on("GET_RECLOCK_FILE", () => ({ data: textBytes(`${LOCK}\0`) }))
    .on("GET_PUBLIC_IPS", () => ({ data: [] }))
    .on("GET_CAPABILITIES", () => ({
      data: CAPABILITIES.PARALLEL_RECOVERY | CAPABILITIES.FRAGMENTED_CONTROLS,
    }))
    .on("STATISTICS", () => ({ data: STATISTICS }))
    .on("GET_DBMAP", () => ({ data: [] }))
    .on("GET_PID", () => ({ status: 4711 }))
    .on("PING", () => ({ status: 1 }));
  return ctdbd.on("REGISTER_SRVID", () => {
    queueMicrotask(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 1)));
    return {};
  });
}

export function doctorWorld(
  ctdbd: FakeCtdbd,
  time: ManualTime,
  machine: Partial<Machine> = {},
): ToolWorld {
  const pidFile = { [`${BASE}/run/ctdbd.pid`]: "4711\n" };
  return {
    ctdbd,
    time,
    machine: fakeMachine({ ...DOCTOR_FILES, ...pidFile }, DOCTOR_DIRECTORIES, machine),
    network: {
      connectUnix(path, connected) {
        if (!path.endsWith("/eventd.socket")) return ctdbd.network.connectUnix(path, connected);
        queueMicrotask(() => connected(err(new SystemError("ENOENT", "connect", path))));
        return { cancel() {} };
      },
    },
  };
}
