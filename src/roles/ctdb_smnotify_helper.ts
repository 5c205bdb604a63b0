/**
 * ctdb_smnotify_helper monitor CLIENT SERVER | state NUMBER: what sm-notify reads, on standard output: the line of its
 * record of a client that is monitored, or its state file. Texts and bytes are those of the original.
 */
import { endianness } from "node:os";
import { printOut } from "./buffered_output.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb_smnotify_helper";
const USAGE = `usage: ${NAME} { monitor <client-ip> <source-ip> | state <state> }\n`;

const LOOPBACK_BYTES = [127, 0, 0, 1];
/** The lock manager's program, the version of statd's protocol and the procedure, as statd records them. */
const LOCK_MANAGER = 100_021;
const STATD_VERSION = 4;
const PROCEDURE = 16;
/** 16 bytes of the caller's own that nobody reads. */
const PRIVATE_DATA = "0".repeat(32);

export const role: Role = {
  async run([what, first, second, ...more]) {
    if (what === "--help") {
      printOut(USAGE);
      return 0;
    }
    if (what === "monitor" && first !== undefined && second !== undefined && more.length === 0) {
      const numbers = [loopbackNumber(), LOCK_MANAGER, STATD_VERSION, PROCEDURE].map(hexadecimal);
      printOut(`${[...numbers, PRIVATE_DATA, first, second].join(" ")}\n`);
      return 0;
    }
    if (what === "state" && first !== undefined && second === undefined) {
      printOut(stateBytes(first));
      return 0;
    }
    printOut(USAGE);
    return 1;
  },
};

const littleEndian = endianness() === "LE";

/** The bytes of the address, read as a number of this machine. */
function loopbackNumber(): number {
  return new DataView(Uint8Array.from(LOOPBACK_BYTES).buffer).getUint32(0, littleEndian);
}

function hexadecimal(number: number): string {
  return number.toString(16).padStart(8, "0");
}

/** An int of this machine; as C's atoi reads it, so what begins with no number is 0. */
function stateBytes(text: string): Uint8Array {
  const number = Number.parseInt(/^\s*[-+]?[0-9]+/.exec(text)?.[0] ?? "0", 10);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, number, littleEndian);
  return bytes;
}
