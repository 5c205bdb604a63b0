/** What getifaddrs() lists: an entry for each address of each network interface, its link's address included. */
import { memoryAt } from "#foreign";
import type { SystemError } from "../../base/errors.ts";
import { done, err, type Result } from "../../base/result.ts";
import { INTERFACE_FUNCTIONS } from "./functions.ts";
import { errno, nativeMemory, openLibc, systemError, textAt } from "./libc.ts";

export const IFF_UP = 0x1;

const ENTRY_BYTES = 48;

/** Pointers are to sockaddrs, and 0 for what there is none of. They are valid during the call that gets the entry. */
export interface InterfaceEntry {
  readonly name: string;
  readonly flags: number;
  readonly address: number;
  readonly netmask: number;
  readonly broadcast: number;
}

/** `what` names it in the error. */
export function eachInterfaceEntry(
  what: string,
  take: (entry: InterfaceEntry) => void,
): Result<void, SystemError> {
  const libc = openLibc(INTERFACE_FUNCTIONS);
  const head = nativeMemory(8);
  if (libc.getifaddrs(head.address) !== 0) return err(systemError(errno(), "getifaddrs", what));
  const first = pointerIn(head.view, 0);
  for (let at = first; at !== 0; ) {
    const view = new DataView(memoryAt(at, ENTRY_BYTES));
    take(readEntry(view));
    at = pointerIn(view, 0);
  }
  libc.freeifaddrs(first);
  return done;
}

/** struct ifaddrs: next 0, name 8, flags u32 16, address 24, netmask 32, broadcast address 40. */
function readEntry(view: DataView): InterfaceEntry {
  return {
    name: textAt(pointerIn(view, 8)),
    flags: view.getUint32(16, true),
    address: pointerIn(view, 24),
    netmask: pointerIn(view, 32),
    broadcast: pointerIn(view, 40),
  };
}

function pointerIn(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
