/**
 * Which Samba release this node announces to another one (docs/protocol.md, "Keepalive"). A stock ctdbd ends itself when an
 * older process announces another release than its own, so that each hears its own from us, if it is one that we know.
 *
 * Invariants:
 * 1. A release that somebody has configured is announced to everybody.
 * 2. Otherwise a node is told its own release when it is from OLDEST_RELEASE to ours, with whose protocol we are at home,
 *    and ours when nothing is known of it.
 */
import { OLDEST_RELEASE } from "./limits.ts";

/** Samba releases are major << 16 | minor; 0 is one that is not known. */
export interface AnnouncedVersion {
  readonly version: number;
  /** Somebody wants just this one to be announced. */
  readonly fixed: boolean;
}

/** What a node is told that announces `theirs`. */
export function versionFor({ version, fixed }: AnnouncedVersion, theirs: number): number {
  return !fixed && theirs >= OLDEST_RELEASE && theirs <= version ? theirs : version;
}
