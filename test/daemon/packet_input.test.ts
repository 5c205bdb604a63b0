/** What PacketInput lets through to the databases: nobody behind it looks again. */
import { expect, test } from "bun:test";
import { u64 } from "../../src/base/u64.ts";
import { EMPTY, textBytes } from "../../src/wire/codec.ts";
import { OPERATIONS, type PacketView } from "../../src/wire/packet.ts";
import {
  REPLY_CALL_AT,
  REPLY_DMASTER_AT,
  REPLY_ERROR_AT,
  REQ_CALL_AT,
  REQ_DMASTER_AT,
} from "../../src/wire/packets/layouts.ts";
import {
  buildReplyCall,
  buildReplyDmaster,
  buildReplyError,
  buildReqCall,
  buildReqDmaster,
} from "../../src/wire/packets.ts";
import { startCluster } from "./fake_cluster.ts";

const GENERATION = 5;
const CALL = { flags: 0, db_id: 1, callid: 0, hopcount: 0, key: textBytes("k"), calldata: EMPTY };
const RECORD = { db_id: 1, rsn: u64(0, 1), key: textBytes("k"), data: EMPTY, recordFlags: 0 };

/** One of each about records, from node 1. */
function recordPackets(generation: number): PacketView[] {
  const header = { generation, destnode: 0, srcnode: 1, reqid: 9 };
  return [
    buildReqCall(header, CALL),
    buildReplyCall(header, { status: 0, data: EMPTY }),
    buildReqDmaster(header, { ...RECORD, dmaster: 0 }),
    buildReplyDmaster(header, RECORD),
    buildReplyError(header, { status: -1, message: "no" }),
  ];
}

/** Node 0 of two, in this generation. */
function setUp() {
  const { nodes } = startCluster(2);
  const [first] = nodes;
  const node = first?.daemon.node;
  if (first === undefined || node === undefined) throw new Error("node 0 has not started");
  node.vnnMap.set(GENERATION, [0, 1], true);
  const { input } = node;
  /** The operations that came through, of the packets that this brings in. */
  const through = (bring: () => void): number[] => {
    first.records.nodePackets.length = 0;
    bring();
    return first.records.nodePackets.map(({ operation }) => operation);
  };
  return { input, node, first, through };
}

const ALL = [
  OPERATIONS.REQ_CALL,
  OPERATIONS.REPLY_CALL,
  OPERATIONS.REQ_DMASTER,
  OPERATIONS.REPLY_DMASTER,
  OPERATIONS.REPLY_ERROR,
];

test("PacketInput hands on calls of this generation, of nodes and of its own node", () => {
  const { input, through } = setUp();
  const packets = recordPackets(GENERATION);
  const bring = (way: (packet: PacketView) => void) => () => {
    for (const packet of packets) way(packet);
  };
  expect(through(bring((packet) => input.fromNode(packet, 1)))).toEqual(ALL);
  expect(through(bring((packet) => input.looped(packet)))).toEqual(ALL);
  expect(input.staleCalls).toBe(0);
});

test("PacketInput drops calls of another generation, and all while the node is banned", () => {
  const { input, node, through } = setUp();
  const bring = (generation: number) => () => {
    for (const packet of recordPackets(generation)) {
      input.fromNode(packet, 1);
      input.looped(packet);
    }
  };
  const errors = [OPERATIONS.REPLY_ERROR, OPERATIONS.REPLY_ERROR];
  expect(through(bring(GENERATION - 1))).toEqual(errors);
  expect(input.staleCalls).toBe(8);
  node.nodes.setOwnFlag("BANNED", { cause: "ban", reason: "for a test", by: { node: null } });
  expect(through(bring(GENERATION))).toEqual(errors);
  expect(input.staleCalls).toBe(16);
});

test("PacketInput hands on no packet of a node that is shorter than it says", () => {
  const lengths = [
    REQ_CALL_AT.DATA_LENGTH,
    REPLY_CALL_AT.DATA_LENGTH,
    REQ_DMASTER_AT.DATA_LENGTH,
    REPLY_DMASTER_AT.DATA_LENGTH,
    REPLY_ERROR_AT.MESSAGE_LENGTH,
  ];
  const { input, first, through } = setUp();
  recordPackets(GENERATION).forEach((packet, at) => {
    packet.setU32(lengths[at] ?? 0, 0xffffff00);
    expect(through(() => input.fromNode(packet, 1))).toEqual([]);
    expect(input.refused.node).toBe(at + 1);
  });
  expect(first.records.lost).toContain(1);
});

test("PacketInput hands on no call of a client that is shorter than it says, and closes its link", () => {
  const { first } = setUp();
  const client = first.client(1);
  const call = recordPackets(0)[0] as PacketView;
  client.send(call);
  first.world.settle();
  expect([first.records.calls.length, client.closed]).toEqual([1, false]);
  call.setU32(REQ_CALL_AT.KEY_LENGTH, 0xffffffff);
  client.send(call);
  first.world.settle();
  expect([first.records.calls.length, client.closed]).toEqual([1, true]);
});
