/** `status -v` of unhealthy nodes: what the event daemon, or another node, says of the last monitor event. */
import { expect, test } from "bun:test";
import { SystemError } from "../../src/base/errors.ts";
import { err, ok } from "../../src/base/result.ts";
import { whyUnhealthy } from "../../src/cli/event_status.ts";
import type { ToolHost } from "../../src/cli/host.ts";
import type { StreamHandlers } from "../../src/platform/types/network.ts";
import { EMPTY, encode, u32Codec } from "../../src/wire/codec.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { PING_HEALTH } from "../../src/wire/controls.ts";
import {
  decodeEventRequest,
  type EventReply,
  type EventRequest,
  type EventStatus,
  encodeEventReply,
} from "../../src/wire/event_protocol.ts";
import {
  DURATION_UNKNOWN,
  HEALTH_MAGIC,
  type MonitorFailure,
  type NodeAndFlags,
  nodeHealth,
} from "../../src/wire/structs/cluster.ts";
import type { ScriptedReply } from "../support/fake_ctdbd.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { until, when, within } from "../support/until.ts";
import { BASE, daemon, GONE, nodeAt, runCtdb } from "./tool_harness.ts";

const SOCKET = `${BASE}/run/eventd.socket`;
const [ENOEXEC, EINVAL, ENOMSG, ETIMEDOUT] = [8, 22, 42, 110];

const asked: EventRequest[] = [];

/** An event daemon that answers so; undefined: not at all. */
function eventDaemon(reply: EventReply | undefined, chunkBytes = 7): ToolHost["network"] {
  return {
    connectUnix(_path, connected) {
      let client: StreamHandlers | undefined;
      queueMicrotask(() => {
        client = connected(
          ok({
            write(bytes) {
              const request = must(decodeEventRequest(bytes.slice()));
              asked.push(request.body);
              const answer = reply === undefined ? [] : encodeEventReply(request.reqid, reply);
              queueMicrotask(() => {
                for (let at = 0; at < answer.length; at += chunkBytes) {
                  client?.onData(Uint8Array.from(answer.slice(at, at + chunkBytes)));
                }
              });
              return bytes.length;
            },
            pause() {},
            resume() {},
            close() {
              client = undefined;
            },
            peer: undefined,
            remoteAddress: undefined,
          }),
        );
      });
      return { cancel() {} };
    },
  };
}

function script(name: string, result: number, output?: string): EventStatus["scripts"][number] {
  const begin = { sec: 1000, usec: 900_000 };
  return { name, begin, end: { sec: 1002, usec: 150_000 }, result, output };
}

function status(...scripts: EventStatus["scripts"][number][]): EventReply {
  return { command: "status", result: 0, status: { summary: 1, scripts } };
}

async function reasons(network: ToolHost["network"], time = new ManualTime()) {
  const host = { network, timers: time, clock: time } as unknown as ToolHost;
  const asking = whyUnhealthy(host, SOCKET);
  await settle();
  await time.advance(500);
  return await asking;
}

test("whyUnhealthy() names each script that failed, with duration and the line that says why", async () => {
  const reply = status(
    script("00.ctdb", 0, "fine\n"),
    script("05.system", -ENOEXEC),
    script("49.winbind", 1, "noise\nERROR: winbind - wbinfo -p returned error\nmore\n"),
    { ...script("50.samba", -ETIMEDOUT, "first\nlast\n\n"), end: { sec: 0, usec: 0 } },
    script("60.nfs", -4),
    script("70.iscsi", -ENOMSG),
  );
  expect(must(await reasons(eventDaemon(reply)))).toEqual([
    "49.winbind failed with status 1 after 1.250 s: ERROR: winbind - wbinfo -p returned error",
    "50.samba timed out: last",
    "60.nfs was killed after 1.250 s",
  ]);
  expect(asked.at(-1)).toEqual({ command: "status", component: "legacy", event: "monitor" });
});

test("whyUnhealthy() says when no script failed, or none has run", async () => {
  const none = await reasons(eventDaemon(status(script("00.ctdb", 0))));
  expect(none).toEqual(ok(["no script of the last monitor event has failed"]));
  const never = { command: "status", result: EINVAL, status: undefined } as const;
  expect(await reasons(eventDaemon(never))).toEqual(ok(["the monitor event has not run yet"]));
  const missing = { command: "status", result: 2, status: undefined } as const;
  expect(await reasons(eventDaemon(missing))).toEqual(
    err("the event daemon answered with error 2"),
  );
});

test("whyUnhealthy() of an event daemon that hangs, or is not there, ends soon", async () => {
  expect(await reasons(eventDaemon(undefined))).toEqual(err("it has not answered"));
  const absent: ToolHost["network"] = {
    connectUnix(path, connected) {
      queueMicrotask(() => connected(err(new SystemError("ECONNREFUSED", "connect", path))));
      return { cancel() {} };
    },
  };
  const refused = await reasons(absent);
  expect(refused.ok ? "" : refused.error).toContain("Connection refused");
});

const PATIENCE_MS = 2000;
const PEER_GRACE_MS = 50;
const UNHEALTHY = NODE_FLAGS.UNHEALTHY;

/** A cluster whose node 0, the own, has an event daemon, and whose peers answer PING so. */
async function shown(
  nodes: readonly NodeAndFlags[],
  peer: (pnn: number) => ScriptedReply<Uint8Array> | "silent",
  ...args: string[]
) {
  const events: string[] = [];
  const time = new ManualTime();
  const ctdbd = daemon(nodes).on("PING", (_, pnn) => (pnn === 0 ? { status: 1 } : peer(pnn)));
  ctdbd.on("REGISTER_SRVID", () => {
    setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 0)));
    return {};
  });
  const network: ToolHost["network"] = {
    connectUnix(path, connected) {
      if (path !== SOCKET) return ctdbd.network.connectUnix(path, connected);
      events.push(path);
      return eventDaemon(status(script("50.samba", 1, "ERROR: port 445"))).connectUnix(
        path,
        connected,
      );
    },
  };
  const asked: number[] = [];
  let ended = false;
  const run = runCtdb({ ctdbd, network, time }, ...args, "status").finally(() => {
    ended = true;
  });
  const isAsked = () => ctdbd.controls.some(({ flags }) => flags === PING_HEALTH);
  await until("a peer is asked", PATIENCE_MS, () => when(ended || isAsked()));
  await time.advance(PEER_GRACE_MS);
  const { out, err } = await within("the end of ctdb status", PATIENCE_MS, run);
  for (const { flags, destnode } of ctdbd.controls) if (flags === PING_HEALTH) asked.push(destnode);
  return {
    asked: [...(events.length === 0 ? [] : ["event daemon"]), ...asked],
    said: out.split("\n").filter((line) => line.startsWith("Node ")),
    out,
    err,
  };
}

function answerOf(...failures: readonly Partial<MonitorFailure>[]): ScriptedReply<Uint8Array> {
  const filled = failures.map((failure) => ({
    script: "50.samba",
    result: 1,
    duration_ms: 1250,
    line: "",
    ...failure,
  }));
  const health = { magic: HEALTH_MAGIC, monitor_events: 3, failures: filled };
  return { status: 1, data: encode(nodeHealth, health) };
}

const OWN_LINE =
  "Node 0 is unhealthy: 50.samba failed with status 1 after 1.250 s: ERROR: port 445";
const noPeer = () => "silent" as const;

test("status -v asks for the own node only when it is unhealthy, and not for -X", async () => {
  const sick = [nodeAt(0, UNHEALTHY), nodeAt(1)];
  expect(await shown(sick, noPeer, "-v")).toMatchObject({
    asked: ["event daemon"],
    said: [OWN_LINE],
  });
  const nothing = { asked: [], said: [] };
  expect(await shown(sick, noPeer)).toMatchObject(nothing);
  expect(await shown([nodeAt(0), nodeAt(1)], noPeer, "-v")).toMatchObject(nothing);
  expect(await shown(sick, noPeer, "-v", "-X")).toMatchObject(nothing);
  expect(await shown(sick, noPeer, "-j")).toMatchObject(nothing);
});

test("status -v asks every unhealthy node that is connected, in one go", async () => {
  const nodes = [nodeAt(0, UNHEALTHY), nodeAt(1, UNHEALTHY), nodeAt(2), nodeAt(3, GONE)];
  const more = [nodeAt(4, UNHEALTHY), nodeAt(5, UNHEALTHY | NODE_FLAGS.DELETED)];
  const peer = (pnn: number) =>
    pnn === 1
      ? answerOf({ script: "60.nfs", result: -ETIMEDOUT, duration_ms: DURATION_UNKNOWN })
      : answerOf({ line: "ERROR: port 445" }, { script: "70.iscsi", result: -4 });
  const { asked, said, err } = await shown([...nodes, ...more], peer, "-v");
  expect(asked).toEqual(["event daemon", 1, 4]);
  expect(said).toEqual([
    OWN_LINE,
    "Node 1 is unhealthy: 60.nfs timed out",
    "Node 4 is unhealthy: 50.samba failed with status 1 after 1.250 s: ERROR: port 445",
    "Node 4 is unhealthy: 70.iscsi was killed after 1.250 s",
  ]);
  expect(err).toBe("");
  const silent = await shown([nodeAt(0), nodeAt(1, UNHEALTHY)], noPeer, "-v");
  expect([silent.said, silent.err]).toEqual([
    [],
    "Node 1 has not answered: shown is what node 0 knows of it, of unknown age\n",
  ]);
});

test("status -v says of a node without a failed script what is known", async () => {
  const nodes = [nodeAt(0), nodeAt(1, UNHEALTHY)];
  const before = { magic: HEALTH_MAGIC, monitor_events: 0, failures: [] };
  const starting = () => ({ data: encode(nodeHealth, before) });
  expect((await shown(nodes, starting, "-v")).said).toEqual([
    "Node 1 is unhealthy: the monitor event has not run yet",
  ]);
  expect((await shown(nodes, () => answerOf(), "-v")).said).toEqual([
    "Node 1 is unhealthy: no script is known to have failed",
  ]);
});

test("status -v takes what is no answer for none, as that of a stock node", async () => {
  const nodes = [nodeAt(0), nodeAt(1, UNHEALTHY)];
  const good = answerOf({ line: "x" }).data ?? EMPTY;
  const otherMagic = good.slice();
  otherMagic[0] = 0;
  const countTooLarge = good.slice();
  countTooLarge.fill(0xff, 8, 12);
  const answers: ScriptedReply<Uint8Array>[] = [
    { status: 3 },
    { status: -1 },
    { data: otherMagic },
    { data: countTooLarge },
    { data: good.slice(0, -1) },
    answerOf({ line: "x".repeat(2000) }),
  ];
  for (const answer of answers) {
    const { said, err } = await shown(nodes, () => answer, "-v");
    expect([said, err]).toEqual([
      [],
      'Node 1 does not say why it is unhealthy: "ctdb scriptstatus" there does\n',
    ]);
  }
});

test("status -v shows no control characters of a node's script", async () => {
  const nodes = [nodeAt(0), nodeAt(1, UNHEALTHY)];
  const line = "ERROR: \x1b[2Jgone\x07 \u009b1m\u202eback\u2028é";
  const bytes = encode(nodeHealth, {
    magic: HEALTH_MAGIC,
    monitor_events: 1,
    failures: [{ script: "50\n\x9b", result: 1, duration_ms: 0, line: `${line}\udcff` }],
  });
  for (const form of ["-v", "-vj"]) {
    const { out } = await shown(nodes, () => ({ data: bytes }), form);
    expect(out).toContain("50?? failed with status 1 after 0.000 s: ERROR: ?[2Jgone? ?1m?back?é?");
  }
});

test("status -v --json has the reasons of each unhealthy node, and without -v the original's form", async () => {
  const nodes = [nodeAt(0, UNHEALTHY), nodeAt(1, UNHEALTHY), nodeAt(2, UNHEALTHY)];
  const peer = (pnn: number) => (pnn === 1 ? answerOf({}) : { status: 1 });
  const { out } = await shown(nodes, peer, "-v", "-j");
  expect(JSON.parse(out).unhealthy).toEqual({
    "0": { reasons: ["50.samba failed with status 1 after 1.250 s: ERROR: port 445"] },
    "1": { reasons: ["50.samba failed with status 1 after 1.250 s"] },
    "2": { reasons: [] },
  });
  expect(JSON.parse((await shown(nodes, peer, "-j")).out)).not.toHaveProperty("unhealthy");
});
