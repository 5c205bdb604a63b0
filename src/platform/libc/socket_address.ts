/**
 * Numeric addresses as C's sockaddr_in and sockaddr_in6, and socket options. No names: resolving
 * would block the loop.
 */
import type { Pointer } from "bun:ffi";
import { textBytes } from "../../base/byte_text.ts";
import { type NativeMemory, nativeMemory, openLibc } from "./libc.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;

const INET6_TEXT_BYTES = 46;

const libc = openLibc({
  inet_pton: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  inet_ntop: { args: ["i32", "ptr", "ptr", "u32"], returns: "ptr" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
});

/** Undefined when the text is not a numeric address or the port is out of range. */
export function socketAddress(
  address: string,
  port: number,
): { readonly family: number; readonly memory: NativeMemory } | undefined {
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) return undefined;
  const family = address.includes(":") ? AF_INET6 : AF_INET;
  const text = textBytes(`${address}\0`);
  const memory = nativeMemory(family === AF_INET ? 16 : 28);
  memory.view.setUint16(0, family, true);
  memory.view.setUint16(2, port);
  const numberAt = family === AF_INET ? 4 : 8;
  const parsed = libc.inet_pton(family, text, (memory.address + numberAt) as Pointer);
  return parsed === 1 ? { family, memory } : undefined;
}

/** Canonical text of the raw address bytes (4 or 16) at `from`. */
export function addressText(family: number, from: Pointer): string {
  const text = nativeMemory(INET6_TEXT_BYTES);
  libc.inet_ntop(family, from, text.address, INET6_TEXT_BYTES);
  return Buffer.from(text.bytes.subarray(0, text.bytes.indexOf(0))).toString("latin1");
}

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const SO_PEERCRED = 17;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;

/** Memory for one option and its length: calls fill it and return. */
const option = nativeMemory(16);
const optionLength = nativeMemory(4);

export function setNodeLinkOptions(descriptor: number): void {
  option.words[0] = 1;
  libc.setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, option.address, 4);
  libc.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, option.address, 4);
}

/** Process at the other end of a unix stream; undefined when the kernel does not say. */
export function peerCredentials(descriptor: number): { pid: number; uid: number } | undefined {
  optionLength.words[0] = 12;
  if (libc.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, option.address, optionLength.address)) {
    return undefined;
  }
  return { pid: option.words[0] as number, uid: (option.words[1] as number) >>> 0 };
}

/** The pending error of a socket (0: none), which reading clears. */
export function pendingError(descriptor: number): number {
  optionLength.words[0] = 4;
  libc.getsockopt(descriptor, SOL_SOCKET, SO_ERROR, option.address, optionLength.address);
  return option.words[0] as number;
}
