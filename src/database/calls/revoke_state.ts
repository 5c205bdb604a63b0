/** The revoke of one record's read-only copies, and the revokes of a database, as calls see them. */
import type { Timer } from "../../platform/types/time.ts";
import type { TdbError } from "../../tdb/types.ts";
import type { WaitingCall } from "./waiting_calls.ts";

type RevokeState = "asking" | "finishing" | "pausing" | "granting" | "ended";

export class Revoke {
  readonly hash: number;
  readonly key: Uint8Array;
  readonly generation: number;
  state: RevokeState = "asking";
  /** Tries that failed in a row. */
  failures = 0;
  /** Delegates that have not answered. */
  open = 0;
  problem: string | undefined;
  rsnHi = 0;
  rsnLo = 0;
  timer: Timer | undefined;
  readonly writers: WaitingCall[] = [];
  readonly readers: WaitingCall[] = [];

  constructor(hash: number, key: Uint8Array, generation: number) {
    this.hash = hash;
    this.key = key;
    this.generation = generation;
  }

  /** When the record is granted, only who wants a copy still waits. */
  holdsBack(wantsReadonly: boolean): boolean {
    return this.state !== "granting" || wantsReadonly;
  }
}

/** What calls, clients and recoveries ask of the revokes of one database. */
export interface Revokes {
  /** How many run. */
  readonly size: number;
  find(hash: number, key: Uint8Array): Revoke | undefined;
  /** The call runs again when the revoke is over. */
  wait(revoke: Revoke, call: WaitingCall): void;
  /**
   * For the record that was just read, with its chain locked. "free": nobody has a copy, and the
   * record (header and file) says so now.
   */
  begin(hash: number, key: Uint8Array): Revoke | "free" | TdbError;
  /** A recovery has filled the database: nobody has a copy of anything any more. The reason of a failure. */
  forgetCopies(): string | undefined;
  /** The database thaws: if that was a recovery, revokes of before are over. */
  thawed(): void;
  dropClient(clientId: number): void;
  close(reason: string): void;
}
