/** `status -v` of an unhealthy node: what its event daemon says of the last monitor event. */
import { expect, test } from "bun:test";
import { SystemError } from "../../src/base/errors.ts";
import { err, ok } from "../../src/base/result.ts";
import { whyUnhealthy } from "../../src/cli/event_status.ts";
import type { ToolHost } from "../../src/cli/host.ts";
import type { StreamHandlers } from "../../src/platform/types/network.ts";
import { encode, u32Codec } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import {
  decodeEventRequest,
  type EventReply,
  type EventRequest,
  type EventStatus,
  encodeEventReply,
} from "../../src/wire/event_protocol.ts";
import { ManualTime, settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { BASE, daemon, nodeAt, runCtdb } from "./tool_harness.ts";

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

test("status -v asks only for the own node, only when it is unhealthy, and not in the forms for programs", async () => {
  const shown = async (flags: number, ...args: string[]) => {
    const events: string[] = [];
    const ctdbd = daemon([nodeAt(0, flags), nodeAt(1, 2)]);
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
    const { out } = await runCtdb({ ctdbd, network }, ...args, "status");
    return {
      events: events.length,
      said: out.split("\n").filter((line) => line.startsWith("Node ")),
    };
  };
  expect(await shown(2, "-v")).toEqual({
    events: 1,
    said: ["Node 0 is unhealthy: 50.samba failed with status 1 after 1.250 s: ERROR: port 445"],
  });
  const nothing = { events: 0, said: [] };
  expect(await shown(2)).toEqual(nothing);
  expect(await shown(0, "-v")).toEqual(nothing);
  expect(await shown(2, "-v", "-X")).toEqual(nothing);
  expect(await shown(2, "-v", "-j")).toEqual(nothing);
});
