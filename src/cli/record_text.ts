/** Keys and values as arguments, records as dumps. */
import { EINVAL } from "../base/errno.ts";
import { u64Decimal } from "../base/u64.ts";
import { textBytes } from "../wire/codec.ts";
import { RECORD_FLAGS } from "../wire/constants.ts";
import type { LtdbHeader } from "../wire/structs/records.ts";
import { CommandFailure } from "./failure.ts";
import { hex8 } from "./format.ts";

/** Literal text, or bytes written as 0x and hex digits. `what` is "key" or "value". */
export function recordBytes(text: string, what: "key" | "value"): Uint8Array {
  if (!text.startsWith("0x")) return textBytes(text);
  const digits = text.slice(2);
  const fail = (reason: string) =>
    new CommandFailure(EINVAL, `${reason}\nFailed to parse ${what} ${text}`);
  if (digits.length % 2 === 1) {
    throw fail(`Key (${digits}) contains odd number of hex digits`);
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const pair = digits.slice(2 * i, 2 * i + 2);
    if (!/^[0-9a-f]{2}$/i.test(pair)) throw fail(`Invalid hex: ${digits.slice(2 * i)}`);
    bytes[i] = Number.parseInt(pair, 16);
  }
  return bytes;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const ESCAPED = Array.from({ length: 256 }, (_, byte) => {
  const plain = byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;
  if (plain) return String.fromCharCode(byte);
  return `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});

/** `NAME(LENGTH) = "…"` with everything that is not plain ASCII as \XX. */
export function dumpData(name: string, data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += ESCAPED[byte];
  return `${name}(${data.length}) = "${text}"\n`;
}

const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [RECORD_FLAGS.MIGRATED_WITH_DATA, "MIGRATED_WITH_DATA"],
  [RECORD_FLAGS.VACUUM_MIGRATED, "VACUUM_MIGRATED"],
  [RECORD_FLAGS.AUTOMATIC, "AUTOMATIC"],
  [RECORD_FLAGS.RO_HAVE_DELEGATIONS, "RO_HAVE_DELEGATIONS"],
  [RECORD_FLAGS.RO_HAVE_READONLY, "RO_HAVE_READONLY"],
  [RECORD_FLAGS.RO_REVOKING_READONLY, "RO_REVOKING_READONLY"],
  [RECORD_FLAGS.RO_REVOKE_COMPLETE, "RO_REVOKE_COMPLETE"],
  [RECORD_FLAGS.PERSISTENT, "PERSISTENT"],
  [RECORD_FLAGS.PERSISTENT_IN_PROGRESS, "PERSISTENT_IN_PROGRESS"],
];

export function recordFlagNames(flags: number): string[] {
  return FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
}

export function dumpHeader({ dmaster, rsn, flags }: LtdbHeader): string {
  return (
    `dmaster: ${dmaster}\nrsn: ${u64Decimal(rsn)}\n` +
    `flags: ${[`0x${hex8(flags)}`, ...recordFlagNames(flags)].join(" ")}\n`
  );
}

export function dumpRecord(key: Uint8Array, header: LtdbHeader, data: Uint8Array): string {
  return `${dumpData("key", key)}${dumpHeader(header)}${dumpData("data", data)}\n`;
}
