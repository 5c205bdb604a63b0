/**
 * The unique ids that tell the locks of this connection from others. An id is registered with the node as
 * a srvid as long as locks under it count: whoever finds one in the way asks the node for it.
 *
 * A recovery may bring an entry back that was removed already: one that joins two sides of a partition. So
 * after each recovery new locks get a new id, and the one before is deregistered with the last lock
 * that is held under it; what comes back with it belongs to nobody. Without recoveries a lock costs
 * the node nothing.
 */
import { ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import type { Random } from "../platform/types/time.ts";
import { SRVID } from "../wire/constants.ts";
import type { ClientFailure, CtdbClient } from "./types.ts";

/** Upper half of the ids. */
export const HOLDER_SRVID_HIGH = 0xbe610c00;

/** What a lock is held under, until it is given back. */
export interface HolderId {
  readonly unique: U64;
}

interface Registered extends HolderId {
  readonly remove: () => void;
  users: number;
  /** No further lock is taken under it. */
  retired: boolean;
}

export class HolderIds {
  readonly #client: CtdbClient;
  readonly #random: Random;
  #current: Promise<Result<Registered, ClientFailure>> | undefined;
  #stopListening: () => void = () => {};

  private constructor(client: CtdbClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  static async open(client: CtdbClient, random: Random): Promise<Result<HolderIds, ClientFailure>> {
    const ids = new HolderIds(client, random);
    const listening = await client.registerSrvid(SRVID.RECONFIGURE, () => ids.#renew());
    if (!listening.ok) return listening;
    ids.#stopListening = listening.value.remove;
    return ok(ids);
  }

  close(): void {
    this.#stopListening();
    this.#renew();
  }

  async take(): Promise<Result<HolderId, ClientFailure>> {
    for (;;) {
      this.#current ??= this.#register();
      const asked = this.#current;
      const registered = await asked;
      if (!registered.ok) {
        if (this.#current === asked) this.#current = undefined;
        return registered;
      }
      if (registered.value.retired) continue;
      registered.value.users += 1;
      return registered;
    }
  }

  /** `clean`: no entry is left that carries the id. */
  giveBack(id: HolderId, clean: boolean): void {
    const registered = id as Registered;
    registered.users -= 1;
    if (!clean && !registered.retired) this.#renew();
    removeIfUnused(registered);
  }

  async #register(): Promise<Result<Registered, ClientFailure>> {
    const unique = { hi: HOLDER_SRVID_HIGH, lo: this.#random.u32() };
    // Nobody sends to it.
    const registered = await this.#client.registerSrvid(unique, () => {});
    if (!registered.ok) return registered;
    return ok({ unique, remove: registered.value.remove, users: 0, retired: false });
  }

  #renew(): void {
    const former = this.#current;
    this.#current = undefined;
    void former?.then((registered) => {
      if (!registered.ok) return;
      registered.value.retired = true;
      removeIfUnused(registered.value);
    });
  }
}

function removeIfUnused(registered: Registered): void {
  if (registered.retired && registered.users === 0) registered.remove();
}
