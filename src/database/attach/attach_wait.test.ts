import { expect, test } from "bun:test";
import type { ControlReply, ControlRequest } from "../../control/control_request.ts";
import { textBytes } from "../../wire/codec.ts";
import type { RecBuffer } from "../../wire/structs/records.ts";
import { waitingForAttach } from "./attach_wait.ts";

const FROM: ControlRequest = {
  srvid: { hi: 0, lo: 0 },
  flags: 0,
  srcnode: 1,
  clientId: 0,
  bytes: 9,
};

function setUp(room: boolean) {
  const waiting: (() => void)[] = [];
  const bytes: number[] = [];
  const seen: RecBuffer[] = [];
  const replies: ControlReply[] = [];
  const table = {
    isAttaching: (dbId: number) => dbId === 7,
    afterAttaching: (_dbId: number, size: number, action: () => void) => {
      bytes.push(size);
      if (room) waiting.push(action);
      return room;
    },
  };
  const controls = waitingForAttach(table, {
    DB_DETACH: () => ({ status: 6 }),
    SET_RECMODE: () => ({ status: 6 }),
    UPDATE_RECORD: (request) => {
      seen.push(request);
      return { status: 5 };
    },
  });
  const call = (db_id: number, key: Uint8Array) =>
    controls.UPDATE_RECORD?.({ db_id, records: [{ reqid: 0, key, data: key }] }, FROM, (reply) =>
      replies.push(reply),
    );
  return { controls, waiting, bytes, seen, replies, call };
}

test("waitingForAttach() runs a request that waited, once its database is there", () => {
  const { waiting, bytes, seen, replies, call } = setUp(true);
  expect(call(7, textBytes("key"))).toBe("later");
  expect([seen, bytes]).toEqual([[], [9]]);
  for (const action of waiting) action();
  expect(seen).toEqual([
    { db_id: 7, records: [{ reqid: 0, key: textBytes("key"), data: textBytes("key") }] },
  ]);
  expect(replies).toEqual([{ status: 5 }]);
});

test("waitingForAttach() knows by the table which numbers are databases", () => {
  const { controls } = setUp(true);
  expect(controls.DB_DETACH?.(7, FROM, () => {})).toBe("later");
  expect(controls.SET_RECMODE?.(7, FROM, () => {})).toEqual({ status: 6 });
});

test("waitingForAttach() lets other databases pass, and what finds no room to wait", () => {
  const { seen, call } = setUp(false);
  expect(call(8, textBytes("k"))).toEqual({ status: 5 });
  // Its handler refuses it: the database is not there yet.
  expect(call(7, textBytes("k"))).toEqual({ status: 5 });
  expect(seen.length).toBe(2);
});
