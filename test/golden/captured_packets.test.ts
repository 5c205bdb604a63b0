/**
 * Packets of the stock daemons and tools (test/golden/wire, see index.txt) decode, and encode to the same
 * bytes again, as far as our tables know their contents.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PacketFramer } from "../../src/transport/framer.ts";
import { type Codec, decodePadded, encode } from "../../src/wire/codec.ts";
import { CONTROLS, type ControlName } from "../../src/wire/controls.ts";
import { paddedLength } from "../../src/wire/packet.ts";
import { packetProblem, REPLY_CONTROL_AT, REQ_CONTROL_AT } from "../../src/wire/packet_layouts.ts";

interface Row {
  readonly line: string;
  readonly operation: string;
  readonly detail: string;
  readonly bytes: Uint8Array;
}

const FOLDER = join(import.meta.dir, "wire");

function rows(): readonly Row[] {
  const files = new Map<string, Uint8Array>();
  return readFileSync(join(FOLDER, "index.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [file = "", offset, length, , operation = "", detail = ""] = line.split(" ");
      const whole = files.get(file) ?? new Uint8Array(readFileSync(join(FOLDER, file)));
      files.set(file, whole);
      const bytes = whole.slice(Number(offset), Number(offset) + Number(length));
      return { line, operation, detail, bytes };
    });
}

/** The body of a control or its reply with the codec that the table gives it; undefined for others. */
function controlBody(row: Row): { codec: Codec<unknown>; data: Uint8Array } | undefined {
  const view = new DataView(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength);
  if (!(row.detail in CONTROLS)) return undefined;
  const control = CONTROLS[row.detail as ControlName];
  const at = row.operation === "REQ_CONTROL" ? REQ_CONTROL_AT : REPLY_CONTROL_AT;
  const length = view.getUint32(at.DATA_LENGTH, true);
  const data = row.bytes.slice(at.DATA, at.DATA + length);
  if (row.operation === "REQ_CONTROL") return { codec: control.request as Codec<unknown>, data };
  // A refusal carries no data.
  if (view.getInt32(REPLY_CONTROL_AT.STATUS, true) < 0 || length === 0) return undefined;
  return { codec: control.reply as Codec<unknown>, data };
}

/** Replies whose bytes hold what nobody reads: pointers of the sender's memory. */
const NOT_REPRODUCED = new Set(["GET_DB_STATISTICS"]);

test("captured packets are framed and have no problem", () => {
  const all = rows();
  expect(all.length).toBeGreaterThan(300);
  for (const row of all) {
    const framer = new PacketFramer(row.line.includes("node.bin") ? "node" : "client");
    framer.push(row.bytes);
    const packet = framer.next();
    expect({ line: row.line, error: framer.error }).toEqual({ line: row.line, error: undefined });
    if (packet === undefined) throw new Error(`${row.line}: not a whole packet`);
    expect({ line: row.line, problem: packetProblem(packet) }).toEqual({
      line: row.line,
      problem: undefined,
    });
  }
});

test("captured controls decode and encode to the same bytes", () => {
  let compared = 0;
  for (const row of rows()) {
    const body = controlBody(row);
    if (body === undefined) continue;
    const decoded = decodePadded(body.codec, body.data);
    if (!decoded.ok) throw new Error(`${row.line}: ${decoded.error}`);
    if (NOT_REPRODUCED.has(row.detail)) continue;
    const again = encode(body.codec, decoded.value);
    const same = Buffer.compare(Buffer.from(again), Buffer.from(body.data.slice(0, again.length)));
    expect({ line: row.line, same }).toEqual({ line: row.line, same: 0 });
    expect(paddedLength(again.length)).toBeGreaterThanOrEqual(body.data.length);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(180);
});
