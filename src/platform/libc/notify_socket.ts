/** Datagrams to the socket of a service manager, NOTIFY_SOCKET of sd_notify(3): a path, or an abstract name after "@". */
import { textBytes } from "../../base/byte_text.ts";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { DATAGRAM_FUNCTIONS, SOCKET_FUNCTIONS } from "./functions.ts";
import { ERRNO, errno, nativeMemory, openLibc, systemError } from "./libc.ts";
import { AF_UNIX, SOCK_DGRAM } from "./socket_types.ts";

const PATH_AT = 2;
const PATH_BYTES_MAX = 107;

/** `send` never waits; the result is false when the manager does not take it. */
export function openNotifySocket(name: string): Result<(text: string) => boolean, SystemError> {
  const path = textBytes(name.startsWith("@") ? `\0${name.slice(1)}` : name);
  if (path.length < 2 || path.length > PATH_BYTES_MAX || !/^[/@]/.test(name)) {
    return err(systemError(ERRNO.EINVAL, "connect", name));
  }
  const descriptor = openLibc(SOCKET_FUNCTIONS).socket(AF_UNIX, SOCK_DGRAM, 0);
  if (descriptor === -1) return err(systemError(errno(), "socket", name));
  const address = nativeMemory(PATH_AT + path.length);
  address.view.setUint16(0, AF_UNIX, true);
  address.bytes.set(path, PATH_AT);
  const { connect } = openLibc(SOCKET_FUNCTIONS);
  const { sendto } = openLibc(DATAGRAM_FUNCTIONS);
  // Anew each time: a manager that was started again has another socket under this name.
  return ok((text) => {
    const bytes = textBytes(text);
    const memory = nativeMemory(bytes.length);
    memory.bytes.set(bytes);
    if (connect(descriptor, address.address, address.bytes.length) !== 0) return false;
    return sendto(descriptor, memory.address, bytes.length, 0, 0, 0) !== -1;
  });
}
