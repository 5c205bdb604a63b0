/** The socket of a syslog daemon: the unix socket /dev/log, systemd's journal, or UDP port 514 on loopback. */
import { existsSync } from "node:fs";
import type { SyslogTransport } from "../../base/log_format.ts";
import { socketAddress, unixAddress } from "../libc/socket_address.ts";
import { DatagramSocket } from "./datagram_socket.ts";

/** The original's limit, of RFC 3164, without the NUL of its buffer. */
const DATAGRAM_BYTES_MAX = 1023;
const LIBC_DATAGRAM_BYTES_MAX = 8192;

/** Where the daemon listens; tests listen elsewhere. */
export interface SyslogAddress {
  readonly unixPath: string;
  readonly udpPort: number;
  /** Of systemd's journal. */
  readonly journalPath: string;
}

export const SYSLOG_ADDRESS: SyslogAddress = {
  unixPath: "/dev/log",
  udpPort: 514,
  journalPath: "/run/systemd/journal/socket",
};

/** Whether a process that systemd started (it has an INVOCATION_ID) finds its journal there. */
export function hasJournal(
  environment: Readonly<Record<string, string | undefined>>,
  { journalPath }: SyslogAddress,
): boolean {
  return environment["INVOCATION_ID"] !== undefined && existsSync(journalPath);
}

/** Waits as the form "syslog" does. */
export function journalSocket(
  { journalPath }: SyslogAddress,
  droppedNotice: (count: number) => string,
): DatagramSocket {
  return new DatagramSocket({
    address: unixAddress(journalPath),
    bytesMax: LIBC_DATAGRAM_BYTES_MAX,
    waits: true,
    droppedNotice,
  });
}

/** Only the form "syslog" waits for a busy daemon. */
export function syslogSocket(
  transport: SyslogTransport,
  { unixPath, udpPort }: SyslogAddress,
  droppedNotice: (count: number) => string,
): DatagramSocket {
  const isUnix = transport === "unix" || transport === "nonblocking";
  return new DatagramSocket({
    address: isUnix ? unixAddress(unixPath) : socketAddress("127.0.0.1", udpPort),
    bytesMax: transport === "unix" ? LIBC_DATAGRAM_BYTES_MAX : DATAGRAM_BYTES_MAX,
    waits: transport === "unix",
    droppedNotice,
  });
}
