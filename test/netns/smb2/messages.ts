/**
 * The few SMB2 requests that tests need, as bytes: an anonymous session of dialect 2.1 (nothing is signed),
 * files, byte-range locks. Offsets in requests count from the packet's header (MS-SMB2 2.2).
 */

export const HEADER_SIZE = 64;

export const COMMANDS = {
  negotiate: 0,
  sessionSetup: 1,
  treeConnect: 3,
  create: 5,
  close: 6,
  flush: 7,
  read: 8,
  write: 9,
  lock: 10,
} as const;

export interface HeaderFields {
  readonly command: number;
  readonly messageId: number;
  readonly treeId: number;
  readonly sessionId: Uint8Array;
}

const CREDITS = 16;
const DIALECT_2_1 = 0x0210;
const IMPERSONATION = 2;

/** Header and body behind the four bytes that give their length. */
export function frame(header: HeaderFields, body: Uint8Array): Uint8Array {
  const packet = new Uint8Array(4 + HEADER_SIZE + body.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, HEADER_SIZE + body.length);
  packet.set([0xfe, 0x53, 0x4d, 0x42], 4);
  view.setUint16(4 + 4, HEADER_SIZE, true);
  view.setUint16(4 + 6, 1, true);
  view.setUint16(4 + 12, header.command, true);
  view.setUint16(4 + 14, CREDITS, true);
  view.setUint32(4 + 24, header.messageId, true);
  view.setUint32(4 + 36, header.treeId, true);
  packet.set(header.sessionId, 4 + 40);
  packet.set(body, 4 + HEADER_SIZE);
  return packet;
}

type Field =
  | readonly [size: 1 | 2 | 4 | 8, value: number]
  | { readonly bytes: Uint8Array | readonly number[] };

/** Little-endian fields one after the other. */
function fields(...list: readonly Field[]): Uint8Array {
  const out: number[] = [];
  for (const field of list) {
    if ("bytes" in field) {
      for (const byte of field.bytes) out.push(byte);
      continue;
    }
    let [size, value] = field as readonly [number, number];
    for (; size > 0; size -= 1) {
      out.push(value % 256);
      value = Math.floor(value / 256);
    }
  }
  return new Uint8Array(out);
}

function utf16(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf16le"));
}

export function negotiate(): Uint8Array {
  const guid = crypto.getRandomValues(new Uint8Array(16));
  return fields([2, 36], [2, 1], [2, 1], [2, 0], [4, 0], { bytes: guid }, [8, 0], [2, DIALECT_2_1]);
}

export function sessionSetup(token: Uint8Array): Uint8Array {
  const offset = HEADER_SIZE + 24;
  return fields(
    ...([
      [2, 25],
      [1, 0],
      [1, 1],
      [4, 0],
      [4, 0],
      [2, offset],
      [2, token.length],
      [8, 0],
    ] as const),
    { bytes: token },
  );
}

const NTLM_SIGNATURE = new TextEncoder().encode("NTLMSSP\0");
/** Unicode, request target, NTLM, always sign. */
const NTLM_FLAGS = 0x8205;
const NTLM_ANONYMOUS = 0x0800;

export function ntlmNegotiate(): Uint8Array {
  return fields({ bytes: NTLM_SIGNATURE }, [4, 1], [4, NTLM_FLAGS], [8, 0], [8, 0]);
}

/** Nobody: no name, an LM answer of one zero byte. */
export function ntlmAnonymous(): Uint8Array {
  const payload = NTLM_SIGNATURE.length + 4 + 6 * 8 + 4;
  const empty = [
    [2, 0],
    [2, 0],
    [4, payload + 1],
  ] as const;
  return fields(
    { bytes: NTLM_SIGNATURE },
    [4, 3],
    ...([
      [2, 1],
      [2, 1],
      [4, payload],
    ] as const),
    ...[...empty, ...empty, ...empty, ...empty, ...empty],
    [4, NTLM_FLAGS | NTLM_ANONYMOUS],
    [1, 0],
  );
}

export function treeConnect(unc: string): Uint8Array {
  const path = utf16(unc);
  return fields([2, 9], [2, 0], [2, HEADER_SIZE + 8], [2, path.length], { bytes: path });
}

export interface OpenOptions {
  /** Desired access. */
  readonly access: number;
  /** What others may do meanwhile. */
  readonly share: number;
  readonly disposition: number;
}

export function create(name: string, { access, share, disposition }: OpenOptions): Uint8Array {
  const path = utf16(name);
  const offset = HEADER_SIZE + 56;
  return fields(
    ...([
      [2, 57],
      [1, 0],
      [1, 0],
      [4, IMPERSONATION],
      [8, 0],
      [8, 0],
    ] as const),
    ...([
      [4, access],
      [4, 0],
      [4, share],
      [4, disposition],
      [4, 0],
    ] as const),
    ...([
      [2, offset],
      [2, path.length],
      [4, 0],
      [4, 0],
    ] as const),
    { bytes: path },
  );
}

export function closeFile(file: Uint8Array): Uint8Array {
  return fields([2, 24], [2, 0], [4, 0], { bytes: file });
}

export function flush(file: Uint8Array): Uint8Array {
  return fields([2, 24], [2, 0], [4, 0], { bytes: file });
}

export function read(file: Uint8Array, offset: number, length: number): Uint8Array {
  return fields(
    [2, 49],
    [1, 0],
    [1, 0],
    [4, length],
    [8, offset],
    { bytes: file },
    [8, 0],
    [8, 0],
    [1, 0],
  );
}

export function write(file: Uint8Array, offset: number, data: Uint8Array): Uint8Array {
  const dataOffset = HEADER_SIZE + 48;
  return fields(
    ...([
      [2, 49],
      [2, dataOffset],
      [4, data.length],
      [8, offset],
    ] as const),
    { bytes: file },
    ...([
      [8, 0],
      [4, 0],
      [4, 0],
    ] as const),
    { bytes: data },
  );
}

export const LOCK_FLAGS = { shared: 1, exclusive: 2, unlock: 4, failImmediately: 0x10 } as const;

export function lock(file: Uint8Array, offset: number, length: number, flags: number): Uint8Array {
  return fields(
    ...([
      [2, 48],
      [2, 1],
      [4, 0],
    ] as const),
    { bytes: file },
    ...([
      [8, offset],
      [8, length],
      [4, flags],
      [4, 0],
    ] as const),
  );
}
