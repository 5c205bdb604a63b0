/**
 * TDB files opened, walked and read by commands, waiting wherever somebody else holds a lock: the tool's
 * run time limit ends such a wait.
 */
import type { Tdb, TdbResult } from "../tdb/types.ts";
import { decodeExact } from "../wire/codec.ts";
import { LTDB_HEADER_BYTES, type LtdbHeader, ltdbHeader } from "../wire/structs/records.ts";
import { CommandFailure } from "./failure.ts";
import type { Session } from "./session.ts";

const BUSY_DELAY_MS = 5;

/** `flags` are TDB_FLAGS; a failure ends the command. */
export async function openTdb(session: Session, path: string, flags: number): Promise<Tdb> {
  const tdbs = await session.host.tdbs();
  const options = { path, flags, hashSize: 0, create: false };
  const tdb = await whenFree(session, () => tdbs.open(options));
  if (tdb.ok) return tdb.value;
  throw new CommandFailure(1, `Failed to open TDB file ${path}: ${tdb.error.reason}`);
}

/** Tries until nobody else holds a lock that the operation needs. */
export async function whenFree<T>(
  session: Session,
  operation: () => TdbResult<T>,
): Promise<TdbResult<T>> {
  for (;;) {
    const outcome = operation();
    if (outcome.ok || outcome.error.code !== "busy") return outcome;
    await session.pause(BUSY_DELAY_MS);
  }
}

/** Shows every record, a chain at a time under its lock; key and value are views. */
export async function walkTdb(
  session: Session,
  tdb: Tdb,
  visit: (key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const show = (key: Uint8Array, value: Uint8Array) => {
    visit(key, value);
    return true;
  };
  let chain = tdb.nextUsedChain(0);
  while (chain < tdb.hashSize) {
    const used = chain;
    const visited = await whenFree(session, () => tdb.visitChain(used, show));
    if (!visited.ok) {
      throw new CommandFailure(1, `Cannot read ${tdb.path}: ${visited.error.reason}`);
    }
    chain = tdb.nextUsedChain(chain + 1);
  }
}

/** undefined for a value that is too short for one. */
export function recordHeader(value: Uint8Array): LtdbHeader | undefined {
  if (value.length < LTDB_HEADER_BYTES) return undefined;
  const header = decodeExact(ltdbHeader, value.subarray(0, LTDB_HEADER_BYTES));
  return header.ok ? header.value : undefined;
}
