import { expect, test } from "bun:test";
import type { ControlReply, ControlRequest } from "../transport/control_request.ts";
import { textBytes } from "../wire/codec.ts";
import type { RecBuffer } from "../wire/structs.ts";
import { waitingForAttach } from "./attach_wait.ts";

const FROM: ControlRequest = { srvid: { hi: 0, lo: 0 }, flags: 0, srcnode: 1, clientId: 0 };

function setUp(room: boolean) {
  const waiting: (() => void)[] = [];
  const seen: RecBuffer[] = [];
  const replies: ControlReply[] = [];
  const table = {
    isAttaching: (dbId: number) => dbId === 7,
    afterAttaching: (_dbId: number, _bytes: number, action: () => void) => {
      if (room) waiting.push(action);
      return room;
    },
  };
  const { UPDATE_RECORD } = waitingForAttach(table, {
    UPDATE_RECORD: (request) => {
      seen.push(request);
      return { status: 5 };
    },
  });
  const call = (db_id: number, key: Uint8Array) =>
    UPDATE_RECORD?.({ db_id, records: [{ reqid: 0, key, data: key }] }, FROM, (reply) =>
      replies.push(reply),
    );
  return { waiting, seen, replies, call };
}

test("waitingForAttach() keeps the bytes of a request that waits", () => {
  const { waiting, seen, replies, call } = setUp(true);
  const buffer = textBytes("key");
  expect(call(7, buffer)).toBe("later");
  // The buffer is used for the next packet.
  buffer.fill(0);
  for (const action of waiting) action();
  expect(seen).toEqual([
    { db_id: 7, records: [{ reqid: 0, key: textBytes("key"), data: textBytes("key") }] },
  ]);
  expect(replies).toEqual([{ status: 5 }]);
});

test("waitingForAttach() lets other databases pass, and what finds no room to wait", () => {
  const { seen, call } = setUp(false);
  expect(call(8, textBytes("k"))).toEqual({ status: 5 });
  // Its handler refuses it: the database is not there yet.
  expect(call(7, textBytes("k"))).toEqual({ status: 5 });
  expect(seen.length).toBe(2);
});
