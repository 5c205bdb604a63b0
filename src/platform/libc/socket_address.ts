/**
 * Numeric addresses as C's sockaddr_in and sockaddr_in6, and socket options. No names: resolving
 * would block the loop.
 */
import { textBytes } from "../../base/byte_text.ts";
import { ADDRESS_FUNCTIONS, SOCKET_FUNCTIONS } from "./functions.ts";
import { cText, type NativeMemory, nativeMemory, openLibc } from "./libc.ts";
import { AF_UNIX } from "./socket_types.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;

const INET6_TEXT_BYTES = 46;
const SUN_PATH_BYTES = 108;

const libc = openLibc(SOCKET_FUNCTIONS);

export interface SocketAddress {
  readonly family: number;
  /** As C wants it. */
  readonly memory: NativeMemory;
}

/** struct sockaddr_un: the family and a zero-terminated path. Undefined when it does not fit. */
export function unixAddress(path: string): SocketAddress | undefined {
  const text = cText(path);
  if (text.length > SUN_PATH_BYTES) return undefined;
  const memory = nativeMemory(2 + SUN_PATH_BYTES);
  memory.view.setUint16(0, AF_UNIX, true);
  memory.bytes.set(text, 2);
  return { family: AF_UNIX, memory };
}

/** The same for a name that lies in no directory: its length ends it, and it begins with a NUL. */
export function abstractAddress(name: string): SocketAddress | undefined {
  const bytes = textBytes(`\0${name}`);
  if (name === "" || bytes.length > SUN_PATH_BYTES) return undefined;
  const memory = nativeMemory(2 + bytes.length);
  memory.view.setUint16(0, AF_UNIX, true);
  memory.bytes.set(bytes, 2);
  return { family: AF_UNIX, memory };
}

/** Undefined when the text is not a numeric address or the port is out of range. */
export function socketAddress(address: string, port: number): SocketAddress | undefined {
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) return undefined;
  const family = address.includes(":") ? AF_INET6 : AF_INET;
  const text = cText(address);
  const memory = nativeMemory(family === AF_INET ? 16 : 28);
  memory.view.setUint16(0, family, true);
  memory.view.setUint16(2, port);
  const numberAt = family === AF_INET ? 4 : 8;
  const parsed = openLibc(ADDRESS_FUNCTIONS).inet_pton(family, text, memory.address + numberAt);
  return parsed === 1 ? { family, memory } : undefined;
}

/** Canonical text of the raw address bytes (4 or 16) at `from`. */
export function addressText(family: number, from: number): string {
  const text = nativeMemory(INET6_TEXT_BYTES);
  openLibc(ADDRESS_FUNCTIONS).inet_ntop(family, from, text.address, INET6_TEXT_BYTES);
  return Buffer.from(text.bytes.subarray(0, text.bytes.indexOf(0))).toString("latin1");
}

/** The address in a sockaddr_in or sockaddr_in6 at `from`. */
export function addressOfPeer(family: number, from: number): string {
  return addressText(family, from + (family === AF_INET ? 4 : 8));
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
