/**
 * tshark reads what three of our nodes send each other: every packet is recognised as CTDB, none is
 * malformed, and each goes to the node that its header names.
 */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CONTROLS } from "../../../src/wire/controls.ts";
import { OPERATIONS } from "../../../src/wire/packet.ts";
import { REQ_CALL_AT, REQ_DMASTER_AT } from "../../../src/wire/packets/layouts.ts";
import { type TestCluster, withCluster } from "../../support/local_cluster.ts";
import { type TcpStream, tcpStreams } from "../../support/pcap.ts";
import { PROJECT } from "../../support/source_tree.ts";
import { TemporaryDirectory, withTemporaryDirectory } from "../../support/temp_dir.ts";
import { type CutPacket, captureOf, cutStreams } from "./one_packet_a_frame.ts";
import { canCapture, captureWhile } from "./tcpdump.ts";
import { everyKindOfTraffic } from "./traffic.ts";
import { fieldsOf, inspect } from "./tshark.ts";

const TIMEOUT_MS = 180_000;
const CTDB_PORT = 4379;
const PACKETS_MIN = 3_000;
/** Where a capture that fails is kept for looking at it. */
const KEPT = join(PROJECT, "node_modules/.cache/failed_capture.pcap");

const CONTROLS_OF_A_RECOVERY = [
  "GET_NODEMAP",
  "GETVNNMAP",
  "SETVNNMAP",
  "START_RECOVERY",
  "DB_FREEZE",
  "DB_TRANSACTION_START",
  "DB_PULL",
  "DB_PUSH_START",
  "DB_PUSH_CONFIRM",
  "DB_TRANSACTION_COMMIT",
  "DB_THAW",
  "SET_RECMODE",
  "END_RECOVERY",
] as const;

/** Bytes that nodes sent, as tshark counts them; nothing may be lost when streams are put together. */
async function payloadBytes(capture: string): Promise<number> {
  const filter = `tcp.dstport == ${CTDB_PORT} && tcp.len > 0 && !tcp.analysis.retransmission`;
  const lengths = await fieldsOf(capture, filter, ["tcp.len"]);
  return lengths.reduce((sum, [length]) => sum + Number(length), 0);
}

/** Both connections of a pair of nodes are for one direction each. */
function nodeStreams(capture: Uint8Array): readonly TcpStream[] {
  const streams = tcpStreams(capture).filter((stream) => stream.bytes.length > 0);
  const back = streams.filter((stream) => stream.destinationPort !== CTDB_PORT);
  expect(back.map(({ flow, bytes }) => `${flow} ${bytes.length}`)).toEqual([]);
  return streams;
}

async function checkDestinations(file: string, cluster: TestCluster): Promise<void> {
  const pnns = new Map(cluster.local.description.nodes.map(({ address, pnn }) => [address, pnn]));
  const rows = await fieldsOf(file, "ctdb", ["ip.dst", "ctdb.dst"]);
  const wrong = rows.filter(([address = "", pnn]) => String(pnns.get(address)) !== pnn);
  expect(wrong).toEqual([]);
}

/** The capture shows what the test is about: without an operation nothing was proved about it. */
async function checkVariety(file: string): Promise<void> {
  const rows = await fieldsOf(file, "ctdb", ["ctdb.opcode", "ctdb.ctrl_opcode"]);
  // Calls of volatile records are answered by giving the record away, not by REPLY_CALL.
  const { REPLY_CALL: _call, REPLY_ERROR: _error, ...expected } = OPERATIONS;
  const seen = new Set(rows.map(([operation]) => Number(operation)));
  expect(Object.entries(expected).filter(([, operation]) => !seen.has(operation))).toEqual([]);
  const controls = new Set(rows.map(([, opcode]) => Number(opcode)));
  const missing = CONTROLS_OF_A_RECOVERY.filter((name) => !controls.has(CONTROLS[name].opcode));
  expect(missing).toEqual([]);
}

interface Damage {
  readonly what: string;
  readonly operation: number;
  /** Where a word is changed, and how. */
  readonly at: number;
  readonly change: (word: number) => number;
  readonly found: "malformed" | "undecoded";
}
const DAMAGES: readonly Damage[] = [
  {
    what: "a key that is longer than its packet",
    operation: OPERATIONS.REQ_CALL,
    at: REQ_CALL_AT.KEY_LENGTH,
    change: (word) => word | 0x10000,
    found: "malformed",
  },
  {
    what: "data that are longer than their packet",
    operation: OPERATIONS.REQ_DMASTER,
    at: REQ_DMASTER_AT.DATA_LENGTH,
    change: (word) => word | 0x10000,
    found: "malformed",
  },
  {
    what: "one bit of the magic number",
    operation: OPERATIONS.REQ_MESSAGE,
    at: 4,
    change: (word) => word ^ 0x100,
    found: "undecoded",
  },
];

/** One packet of the capture is broken: exactly that one must be found. */
async function checkThatDamageIsFound(
  packets: readonly CutPacket[],
  directory: TemporaryDirectory,
): Promise<void> {
  for (const { what, operation, at, change, found } of DAMAGES) {
    const index = packets.findIndex(({ bytes }) => wordAt(bytes, 16) === operation);
    const packet = packets[index] as CutPacket;
    const bytes = packet.bytes.slice();
    new DataView(bytes.buffer).setUint32(at, change(wordAt(bytes, at)), true);
    const file = directory.file("damaged.pcap");
    writeFileSync(file, captureOf(packets.with(index, { ...packet, bytes })));
    const { malformed, undecoded } = await inspect(file);
    expect({ what, malformed: malformed.length, undecoded: undecoded.length }).toEqual({
      what,
      malformed: found === "malformed" ? 1 : 0,
      undecoded: found === "undecoded" ? 1 : 0,
    });
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

function keepForLooking(capture: Uint8Array): void {
  mkdirSync(dirname(KEPT), { recursive: true });
  writeFileSync(KEPT, capture);
  process.stderr.write(`the capture is kept in ${KEPT}\n`);
}

test.skipIf(!canCapture())(
  "tshark decodes every packet between our nodes",
  () =>
    withCluster({ nodes: 3, startNothing: true }, async (cluster) => {
      using directory = new TemporaryDirectory("capture");
      const raw = directory.file("raw.pcap");
      const capture = await captureWhile(cluster, raw, () => everyKindOfTraffic(cluster));
      try {
        const streams = nodeStreams(capture);
        const total = streams.reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(total).toBe(await payloadBytes(raw));
        const { packets, incomplete } = cutStreams(streams);
        // Only what the killed node was writing may end in the middle of a packet.
        const killed = cluster.local.description.nodes[2]?.address ?? "";
        expect(incomplete.filter((flow) => !flow.startsWith(`${killed}:`))).toEqual([]);

        const file = directory.file("packets.pcap");
        writeFileSync(file, captureOf(packets));
        const { frames, malformed, undecoded } = await inspect(file);
        expect({ malformed, undecoded }).toEqual({ malformed: [], undecoded: [] });
        expect(frames).toBe(packets.length);
        expect(frames).toBeGreaterThan(PACKETS_MIN);
        await checkDestinations(file, cluster);
        await checkVariety(file);
        await checkThatDamageIsFound(packets, directory);
      } catch (error) {
        keepForLooking(capture);
        throw error;
      }
    }),
  TIMEOUT_MS,
);

test("a wrong length word ends the cutting", () => {
  const bytes = new Uint8Array(96);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 48, true);
  view.setUint32(48, 8, true);
  const stream = {
    flow: "127.9.9.1:5>127.9.9.2:4379",
    sourcePort: 5,
    destinationPort: 4379,
    bytes,
  };
  expect(() => cutStreams([stream])).toThrow("127.9.9.1:5>127.9.9.2:4379, byte 48");
  view.setUint32(48, 64, true);
  expect(cutStreams([stream]).incomplete).toEqual([stream.flow]);
});

test.skipIf(!canCapture())("a capture file of one packet is what tshark reads", async () => {
  await withTemporaryDirectory(async (path) => {
    const bytes = new Uint8Array(40);
    const view = new DataView(bytes.buffer);
    for (const [at, word] of [40, 0x43544442, 1, 77, OPERATIONS.REQ_KEEPALIVE, 2, 1].entries()) {
      view.setUint32(at * 4, word, true);
    }
    const file = join(path, "one.pcap");
    writeFileSync(file, captureOf([{ flow: "127.9.9.1:5>127.9.9.2:4379", offset: 0, bytes }]));
    const rows = await fieldsOf(file, "ctdb", ["ip.src", "ctdb.generation", "ctdb.dst"]);
    expect(rows).toEqual([["127.9.9.1", "77", "2"]]);
  });
});
