/** Structs about connections, public addresses and interfaces (docs/protocol.md, "Structs"). */
import { counted, countedStringOrNone, fixedString, struct, u16Codec, u32Codec } from "../codec.ts";
import { sockAddr } from "./socket_address.ts";

/** A TCP connection. In TCP_* controls and tickle lists `src` is the remote client. */
export const connection = struct({ src: sockAddr, dst: sockAddr });

export const tickleList = struct({
  addr: sockAddr,
  connections: counted(connection, "connections"),
});

/** An empty interface name is sent as length 0 (DEL_PUBLIC_IP). */
export const addrInfo = struct({ addr: sockAddr, mask: u32Codec, iface: countedStringOrNone });

export const publicIp = struct({ pnn: u32Codec, addr: sockAddr });
export const publicIpList = counted(publicIp, "public addresses");

export const iface = struct({ name: fixedString(18), link_state: u16Codec, references: u32Codec });
export const ifaceList = counted(iface, "interfaces");

const publicIpInfoHead = struct({ ip: publicIp, active_idx: u32Codec });
export const publicIpInfo = struct({ head: publicIpInfoHead, ifaces: ifaceList });
