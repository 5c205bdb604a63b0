/**
 * `--write` of addip and delip: the own node's file of public addresses follows what changed on the running node.
 *
 * Invariants:
 * 1. What can be refused is refused before anything is changed: another node, names that are no words of the file.
 * 2. The file is changed last. When that fails the command says that the running node and the file differ, and fails.
 */
import type { Result } from "../base/result.ts";
import { ok } from "../base/result.ts";
import { PUBLIC_ADDRESSES_FILE, parseInterfaces } from "../config/public_addresses.ts";
import {
  sameNames,
  withoutPublicAddress,
  withPublicAddress,
} from "../config/public_addresses_edit.ts";
import type { SockAddr } from "../wire/structs/socket_address.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { printable } from "./format.ts";
import type { Session } from "./session.ts";
import { toolPaths } from "./tool_paths.ts";

type Edit = (text: string) => Result<string>;

export interface FileAddition {
  readonly interfaces: readonly string[];
  readonly change: Edit;
}

export function fileAddition(
  session: Session,
  address: SockAddr,
  prefixLength: number,
  iface: string,
): FileAddition {
  expectOwnNode(session);
  const names = parseInterfaces(iface);
  if (!names.ok) throw new CommandFailure(1, `Cannot use --write: ${names.error}`);
  // The file's words end at white space, and its lines at a line end.
  const strange = names.value.find((name) => /[\s\p{C}]/u.test(name));
  if (strange !== undefined) {
    const reason = `expected names of interfaces without white space, got "${printable(strange)}"`;
    throw new CommandFailure(1, `Cannot use --write: ${reason}`);
  }
  const interfaces = names.value;
  return {
    interfaces,
    change: (text) => withPublicAddress(text, { address, prefixLength, interfaces }),
  };
}

export function fileRemoval(session: Session, address: SockAddr): Edit {
  expectOwnNode(session);
  return (text) => ok(withoutPublicAddress(text, address));
}

function expectOwnNode({ target, pnn }: Session): void {
  if (target === pnn) return;
  const reason = `the file of public addresses of node ${target} cannot be reached from node ${pnn}`;
  throw new CommandFailure(1, `Cannot use --write with -n ${target}: ${reason}`);
}

/** An address that the node knows already was not changed: the file must not say something else of it. */
export async function expectInterfaces(
  session: Session,
  address: SockAddr,
  interfaces: readonly string[],
): Promise<void> {
  const { ifaces } = await session.ask("GET_PUBLIC_IP_INFO", address);
  const known = ifaces.map(({ name }) => name);
  if (sameNames(known, interfaces)) return;
  throw new CommandFailure(
    1,
    `Cannot use --write: node ${session.pnn} has ${address.address} on ${known.join(",")}, ` +
      `got ${interfaces.join(",")}; nothing was changed`,
  );
}

/** `course` says what became of the running node. False: the file said so already. */
export async function editFile(
  { host }: CommandContext,
  change: Edit,
  course: string,
): Promise<boolean> {
  const path = `${toolPaths(host).etcDirectory}/${PUBLIC_ADDRESSES_FILE}`;
  const changed = await host.changeFile(path, change);
  if (changed.ok) return changed.value === "changed";
  const reason = printable(changed.error);
  throw new CommandFailure(1, `${course}, but "${path}" could not be changed: ${reason}`);
}
