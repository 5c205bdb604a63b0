/** IP addresses: on the wire, and as people write them. */
import { err, ok, type Result } from "../../base/result.ts";
import type { Codec } from "../codec.ts";

/**
 * Address and port of a node, client or public address. `family` is "none" for all zeros (an address
 * that is not set); others than IPv4 and IPv6 do not decode.
 */
export interface SockAddr {
  readonly family: "none" | "ipv4" | "ipv6";
  /** Canonical text without port: "10.0.0.1", "fe80::1". Empty for "none". */
  readonly address: string;
  readonly port: number;
  /** IPv6 scope id, else 0. */
  readonly scope: number;
}

/** One that is set. */
export interface Endpoint extends SockAddr {
  readonly family: "ipv4" | "ipv6";
}

export const NO_ADDRESS: SockAddr = { family: "none", address: "", port: 0, scope: 0 };

const AF_INET = 2;
const AF_INET6 = 10;

export const sockAddr: Codec<SockAddr> = {
  minSize: 28,
  encode(writer, value) {
    if (value.family === "none") return writer.zeros(28);
    writer.u16(value.family === "ipv4" ? AF_INET : AF_INET6);
    writer.u16be(value.port);
    const bytes = addressBytes(value.address);
    if (value.family === "ipv4") {
      writer.bytes(bytes);
      writer.zeros(20);
    } else {
      writer.u32(0);
      writer.bytes(bytes);
      writer.u32(value.scope);
    }
  },
  decode(reader) {
    if (!reader.need(28, "socket address")) return NO_ADDRESS;
    const end = reader.at + 28;
    const family = reader.u16();
    const port = reader.u16be();
    if (family === AF_INET) {
      const address = `${reader.u8()}.${reader.u8()}.${reader.u8()}.${reader.u8()}`;
      reader.at = end;
      return { family: "ipv4", address, port, scope: 0 };
    }
    if (family === AF_INET6) {
      reader.skip(4);
      const address = ipv6Text(reader.take(16, "address"));
      return { family: "ipv6", address, port, scope: reader.u32() };
    }
    reader.at = end;
    if (family !== 0) reader.fail(`address family ${family} is neither IPv4 nor IPv6`);
    return NO_ADDRESS;
  },
};

/**
 * Parses "10.0.0.1" or "fe80::1"; the reason when it is neither. The one parser of addresses that people
 * write, with the forms of the original, so that a file means the same to every tool: what inet_pton takes, an IPv6
 * address also in brackets, and an IPv4-mapped one, which must end in dotted form, is the IPv4 address.
 */
export function parseAddress(text: string, port = 0): Result<Endpoint> {
  const bracketed = text.startsWith("[") && text.endsWith("]") && text.includes(":");
  const bare = bracketed ? text.slice(1, -1) : text;
  const v6 = parseIpv6(bare);
  if (v6 !== undefined && !isIpv4Mapped(v6)) {
    return ok({ family: "ipv6", address: ipv6Text(v6), port, scope: 0 });
  }
  const v4 = parseIpv4(v6 === undefined ? text : bare.slice(bare.lastIndexOf(":") + 1));
  if (v4 !== undefined) return ok({ family: "ipv4", address: v4.join("."), port, scope: 0 });
  return err(`expected an IP address, got "${text}"`);
}

/** The 4 or 16 bytes of an address in canonical text. */
export function addressBytes(address: string): Uint8Array {
  return parseIpv4(address) ?? parseIpv6(address) ?? new Uint8Array(16);
}

const DOT = 46;
const ZERO = 48;

/** Character by character: each node's address is written each time when somebody asks for the nodes. */
function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || part === 3) return undefined;
      bytes[part] = value;
      part += 1;
      value = 0;
      digits = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    // As inet_pton: other parsers read a leading zero as octal.
    if (digits > 0 && value === 0) return undefined;
    value = value * 10 + digit;
    digits += 1;
    if (value > 255) return undefined;
  }
  if (digits === 0 || part !== 3) return undefined;
  bytes[3] = value;
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return undefined;
  let tail = text;
  let v4: Uint8Array | undefined;
  const dotted = text.lastIndexOf(":") + 1;
  if (text.includes(".")) {
    v4 = parseIpv4(text.slice(dotted));
    if (v4 === undefined) return undefined;
    tail = `${text.slice(0, dotted)}0:0`;
  }
  const halves = tail.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) =>
    half === undefined || half === "" ? [] : half.split(":");
  const head = groups(halves[0]);
  const rest = groups(halves[1]);
  const missing = 8 - head.length - rest.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<string>(Math.max(missing, 0)).fill("0"), ...rest];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  });
  if (v4 !== undefined) bytes.set(v4, 12);
  return bytes;
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  return (
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  );
}

/** The text of inet_ntop: RFC 5952, IPv4-mapped and IPv4-compatible addresses end in dotted form. */
export function ipv6Text(bytes: Uint8Array): string {
  if (isIpv4Mapped(bytes)) return `::ffff:${bytes.subarray(12).join(".")}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  );
  if (groups.slice(0, 6).every((g) => g === "0") && groups[6] !== "0") {
    return `::${bytes.subarray(12).join(".")}`;
  }
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === "0") end++;
    if (end - i > best.length) best = { start: i, length: end - i };
  }
  if (best.start < 0) return groups.join(":");
  const head = groups.slice(0, best.start).join(":");
  return `${head}::${groups.slice(best.start + best.length).join(":")}`;
}
