import { expect, test } from "bun:test";
import { U64_ZERO } from "../base/u64.ts";
import { encode, u32Codec } from "../wire/codec.ts";
import { CONTROLS } from "../wire/controls.ts";
import { buildReqControl } from "../wire/packets/message.ts";
import { ClientFreezes } from "./client_freezes.ts";
import { FROZEN_DATABASES_PER_NODE_MAX } from "./limits.ts";

const CLIENT = 7;

function control(name: "DB_FREEZE" | "DB_THAW" | "DB_PULL", data: Uint8Array) {
  const { opcode } = CONTROLS[name];
  const header = { generation: 0, destnode: 0, srcnode: 0, reqid: 1 };
  return buildReqControl(header, { opcode, srvid: U64_ZERO, client_id: 0, flags: 0, data });
}

const about = (name: "DB_FREEZE" | "DB_THAW" | "DB_PULL", dbId: number) =>
  control(name, encode(u32Codec, dbId));

test("ClientFreezes.clientGone() names nodes once, with what is not thawed there", () => {
  const freezes = new ClientFreezes();
  for (const pnn of [0, 1, 2]) freezes.note(CLIENT, pnn, about("DB_FREEZE", 1), 100);
  freezes.note(CLIENT, 2, about("DB_FREEZE", 2), 100);
  freezes.note(CLIENT, 1, about("DB_THAW", 1), 100);
  freezes.note(CLIENT, 2, about("DB_THAW", 2), 100);
  freezes.note(CLIENT + 1, 0, about("DB_THAW", 1), 100);
  freezes.note(CLIENT + 1, 3, about("DB_PULL", 1), 100);
  expect(freezes.clientGone(CLIENT + 1, 100)).toEqual([]);
  expect(freezes.clientGone(CLIENT, 100)).toEqual([0, 2]);
  expect(freezes.clientGone(CLIENT, 100)).toEqual([]);
});

test("ClientFreezes.clientGone() leaves out what a recovery has thawed since", () => {
  const freezes = new ClientFreezes();
  freezes.note(CLIENT, 0, about("DB_FREEZE", 1), 100);
  freezes.note(CLIENT, 1, about("DB_FREEZE", 1), 101);
  expect(freezes.clientGone(CLIENT, 101)).toEqual([1]);
  freezes.note(CLIENT, 0, about("DB_FREEZE", 1), 100);
  expect(freezes.clientGone(CLIENT, 101)).toEqual([]);
});

test("ClientFreezes.note() keeps a bounded number of databases, and no nonsense", () => {
  const freezes = new ClientFreezes();
  freezes.note(CLIENT, 0, control("DB_FREEZE", new Uint8Array(3)), 100);
  expect(freezes.clientGone(CLIENT, 100)).toEqual([]);
  const ids = Array.from({ length: FROZEN_DATABASES_PER_NODE_MAX + 1 }, (_, dbId) => dbId);
  for (const dbId of ids) freezes.note(CLIENT, 0, about("DB_FREEZE", dbId), 100);
  for (const dbId of ids.slice(0, -1)) freezes.note(CLIENT, 0, about("DB_THAW", dbId), 100);
  expect(freezes.clientGone(CLIENT, 100)).toEqual([]);
});
