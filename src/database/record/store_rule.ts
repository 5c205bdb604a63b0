/**
 * What a store by the daemon does with a record of a volatile database (docs/database.md, "The store
 * rule"): keep or delete it, raise its sequence number or not, and what becomes of its place in the
 * queue of records to delete. Pure.
 *
 * Invariant: the sequence number rises exactly when the daemon writes itself as data master and no
 * read-only flag is set; so a migration raises it once, at the receiver.
 */
import { RECORD_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";

/** Bits of the decision. */
export const STORE = {
  KEEP: 1,
  BUMP_RSN: 2,
  SCHEDULE_FOR_DELETION: 4,
  LEAVE_DELETE_QUEUE: 8,
} as const;

export function storeRule(
  flags: number,
  dmaster: number,
  dataLength: number,
  ownPnn: number,
  lmaster: number,
): number {
  const isDmaster = dmaster === ownPnn;
  const readOnly = (flags & RECORD_FLAGS_RO) !== 0;
  const automatic = dataLength === 0 && !readOnly && (flags & RECORD_FLAGS.AUTOMATIC) !== 0;
  const keep =
    dataLength !== 0 ||
    readOnly ||
    automatic ||
    (flags & RECORD_FLAGS.MIGRATED_WITH_DATA) !== 0 ||
    keepsEmpty(flags, isDmaster, ownPnn === lmaster);
  if (!keep) return 0;
  const bump = isDmaster && !readOnly;
  const schedule = automatic || (bump && dataLength === 0);
  return (
    STORE.KEEP |
    (bump ? STORE.BUMP_RSN : 0) |
    (schedule ? STORE.SCHEDULE_FOR_DELETION : STORE.LEAVE_DELETE_QUEUE)
  );
}

/**
 * An empty record that never held data: the lmaster keeps it, because a client that works on the file
 * directly expects to find the record that it just called for; it goes when the vacuum brought it home.
 */
function keepsEmpty(flags: number, isDmaster: boolean, isLmaster: boolean): boolean {
  if (!isLmaster) return isDmaster;
  return (flags & RECORD_FLAGS.VACUUM_MIGRATED) === 0 || !isDmaster;
}
