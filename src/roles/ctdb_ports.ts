/** Asks the system whether a TCP port is free. Loaded on demand: one command wants to know. */
import { EINVAL } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { LISTEN_FUNCTIONS, SOCKET_FUNCTIONS } from "../platform/libc/functions.ts";
import { errno, openLibc } from "../platform/libc/libc.ts";
import { closeDescriptor } from "../platform/libc/pipe.ts";
import { AF_INET, socketAddress } from "../platform/libc/socket_address.ts";
import { SOCK_STREAM } from "../platform/libc/socket_types.ts";

const SOCKADDR_IN_BYTES = 16;

/**
 * Binds without SO_REUSEADDR, as most services do when they start: connections that linger on the port
 * count too. The errno when it cannot.
 */
export function tryTcpPort(port: number): Result<void, number> {
  const address = socketAddress("0.0.0.0", port);
  if (address === undefined) return err(EINVAL);
  const { socket } = openLibc(SOCKET_FUNCTIONS);
  const { bind } = openLibc(LISTEN_FUNCTIONS);
  const descriptor = socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0) return err(errno());
  const bound = bind(descriptor, address.memory.address, SOCKADDR_IN_BYTES);
  const problem = bound < 0 ? errno() : 0;
  closeDescriptor(descriptor);
  return problem === 0 ? ok(undefined) : err(problem);
}
