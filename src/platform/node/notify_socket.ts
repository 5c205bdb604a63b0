/** The socket of a service manager, NOTIFY_SOCKET of sd_notify(3): a path, or an abstract name after "@". */
import { abstractAddress, unixAddress } from "../libc/socket_address.ts";
import { DatagramSocket } from "./datagram_socket.ts";

/** More than anything that we tell it. */
const BYTES_MAX = 1024;

/** Undefined for a name that is neither, or too long. */
export function notifySocket(name: string): DatagramSocket | undefined {
  const address = name.startsWith("@")
    ? abstractAddress(name.slice(1))
    : name.startsWith("/")
      ? unixAddress(name)
      : undefined;
  if (address === undefined) return undefined;
  // A manager passes over variables that it does not know.
  const droppedNotice = (count: number) => `X_LOST=${count}`;
  return new DatagramSocket({ address, bytesMax: BYTES_MAX, waits: true, droppedNotice });
}
