/**
 * Addresses come to this node and leave it: TAKEOVER_IP, RELEASE_IP, and the release of all of them.
 *
 * Invariants:
 * 1. One event at a time for an address; a second release waits for the end of the first, everything else that comes
 *    in between is refused.
 * 2. Whether the address is here is what the kernel says, when it is asked at all, and never a try to bind.
 * 3. A node that must not host anything takes nothing, and gives back what it took while that was decided.
 * 4. An address is in the held file before the event that may put it on an interface.
 */
import {
  type ControlReply,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import { SRVID } from "../../wire/constants.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import type { AddressBook } from "./address_book.ts";
import type { Announcer } from "./announcer.ts";
import type { Connections } from "./connections.ts";
import type { HeldFile } from "./held_file.ts";
import type { AddressHost } from "./host.ts";
import type { AddressInterface } from "./interface_table.ts";
import { RELEASE_WAITERS_MAX } from "./limits.ts";
import type { PublicAddress } from "./public_address.ts";

type Answer = ControlReply | "later";

interface Release {
  targetPnn: number;
  readonly waiters: ReplyLater[];
}

/** Until a release of all is tried again on what could not be released. */
const RELEASE_RETRY_MS = 5000;

export class AddressMoves {
  readonly #host: AddressHost;
  readonly #book: AddressBook;
  readonly #announcer: Announcer;
  readonly #connections: Pick<Connections, "ofFormerHost">;
  readonly #held: HeldFile | undefined;
  readonly #releases = new Map<PublicAddress, Release>();
  #quiet: (() => void)[] = [];
  #retry: { cancel(): void } | undefined;

  constructor(
    host: AddressHost,
    book: AddressBook,
    announcer: Announcer,
    connections: Pick<Connections, "ofFormerHost">,
    held: HeldFile | undefined,
  ) {
    this.#host = host;
    this.#book = book;
    this.#announcer = announcer;
    this.#connections = connections;
    this.#held = held;
  }

  takeOver(ip: { readonly pnn: number; readonly addr: SockAddr }, later: ReplyLater): Answer {
    const { ownPnn, log } = this.#host;
    if (ip.pnn !== ownPnn) {
      return failure(`takeover for node ${ip.pnn} came to ${ownPnn}`);
    }
    const address = this.#book.find(ip.addr);
    // Nodes need not have the same addresses configured.
    if (address === undefined) return SUCCESS;
    const reason = this.#host.reasonNotToTake();
    if (reason !== undefined) {
      this.#written("address_taken", address, address.interfaceName, reason);
      return failure(`cannot take over ${address.text}: ${reason}`);
    }
    this.#book.interfaces.refresh();
    const here = this.#host.localAddresses()?.has(address.text) === true;
    const best = address.bestInterface();
    if (best === undefined) {
      log.error(`Takeover of IP ${address.described} failed to find a usable interface`);
      this.#written("address_taken", address, address.interfaceName, "no interface can be used");
      return failure(`no interface for ${address.text} can be used`);
    }
    if (here && address.pnn !== ownPnn && address.pnn !== UNKNOWN_PNN) {
      const what = `${address.text} is on this machine, but was assigned to node ${address.pnn}`;
      this.#host.banOurselves(what);
      return failure(what);
    }
    return this.#takeOrUpdate(address, best, here, later);
  }

  #takeOrUpdate(
    address: PublicAddress,
    best: AddressInterface,
    here: boolean,
    later: ReplyLater,
  ): Answer {
    const wantsOther = betterElsewhere(address, best);
    if (!here) return this.#take(address, wantsOther ? best : undefined, later);
    // Nobody was known to host it: the scripts put things right.
    if (wantsOther || address.pnn === UNKNOWN_PNN) return this.#update(address, best, later);
    return SUCCESS;
  }

  /** `to`: instead of the interface that it has already. */
  #take(address: PublicAddress, to: AddressInterface | undefined, later: ReplyLater): Answer {
    const refused = this.#refusedWhileBusy(address, "Takeover");
    if (refused !== undefined) return refused;
    const iface = to ?? address.iface ?? address.bestInterface();
    if (iface === undefined) return failure(`no interface for ${address.text}`);
    const had = address.iface === iface && address.pnn === this.#host.ownPnn;
    address.assign(iface, this.#host.ownPnn);
    address.activity = "taking";
    this.#writeHeld();
    this.#host.log.notice(`Takeover of IP ${address.described} on interface ${iface.name}`);
    const startMs = this.#host.clock.monotonicMs();
    this.#host.runEvent("takeip", eventArguments(address), (status, why) => {
      address.activity = "idle";
      const failed = failureOf("takeip", status, why);
      if (!had || failed !== null) {
        this.#written("address_taken", address, iface.name, failed, startMs);
      }
      if (status === 0) this.#taken(address);
      else {
        this.#host.log.error(
          `Failed to takeover IP ${address.text} on interface ${iface.name} (status ${status})`,
        );
      }
      later({ status: 0 - status });
      this.#ended(address, false);
    });
    return "later";
  }

  #taken(address: PublicAddress): void {
    stopAnnouncing(address);
    if (this.#host.announcesTaken) {
      const iface = () => address.iface?.name;
      // While the script worked, clients of ours may have connected, and others to the former host.
      const broken = this.#connections.ofFormerHost(address);
      address.tickles.removeAll(broken);
      address.announcement = this.#announcer.taken(address.text, iface, broken);
    }
    this.#host.tellClients(SRVID.TAKE_IP, address.text);
  }

  #update(address: PublicAddress, to: AddressInterface, later: ReplyLater): Answer {
    const refused = this.#refusedWhileBusy(address, "Update");
    if (refused !== undefined) return refused;
    const { log, ownPnn } = this.#host;
    const from = address.iface;
    const fromName = address.interfaceName;
    address.assign(to, ownPnn);
    if (from === to) return SUCCESS;
    address.activity = "updating";
    this.#writeHeld();
    log.notice(`Update of IP ${address.described} from interface ${fromName} to ${to.name}`);
    const args = [fromName, to.name, address.text, String(address.prefixLength)] as const;
    const startMs = this.#host.clock.monotonicMs();
    this.#host.runEvent("updateip", args, (status, why) => {
      address.activity = "idle";
      this.#written("address_taken", address, to.name, failureOf("updateip", status, why), startMs);
      if (status !== 0) {
        log.error(`Failed update of IP ${address.text} from interface ${fromName} to ${to.name}`);
        // The next takeover run sees where it is, and tries again.
        if (from !== undefined) address.assign(from, ownPnn);
        else address.unassign(ownPnn);
      }
      later({ status: 0 - status });
      this.#ended(address, false);
    });
    return "later";
  }

  release(ip: { readonly pnn: number; readonly addr: SockAddr }, later: ReplyLater): Answer {
    const address = this.#book.find(ip.addr);
    if (address === undefined) return SUCCESS;
    stopAnnouncing(address);
    const running = this.#releases.get(address);
    if (running !== undefined) {
      running.targetPnn = ip.pnn;
      if (running.waiters.length >= RELEASE_WAITERS_MAX) {
        return failure(`too many wait for the release of ${address.text}`);
      }
      running.waiters.push(later);
      return "later";
    }
    const refused = this.#refusedWhileBusy(address, "Release");
    if (refused !== undefined) return refused;
    if (this.#isHere(address)) {
      this.#release(address, ip.pnn, later);
      return "later";
    }
    // Every node that does not host it is told where it goes.
    address.unassign(this.#host.ownPnn);
    this.#writeHeld();
    address.pnn = ip.pnn;
    this.#deleteIfPending(address);
    return SUCCESS;
  }

  #release(address: PublicAddress, targetPnn: number, later: ReplyLater): void {
    const { log } = this.#host;
    const startMs = this.#host.clock.monotonicMs();
    const release: Release = { targetPnn, waiters: [later] };
    this.#releases.set(address, release);
    address.activity = "releasing";
    const target = targetPnn === UNKNOWN_PNN ? "-1" : String(targetPnn);
    log.notice(
      `Release of IP ${address.described} on interface ${address.interfaceName}  node:${target}`,
    );
    const from = address.interfaceName;
    this.#host.runEvent("releaseip", eventArguments(address), (status, why) => {
      address.activity = "idle";
      this.#releases.delete(address);
      const reply = this.#released(address, release, status);
      // What the kernel says counts, whatever the scripts did.
      const failed = reply.status === 0 ? null : (why ?? "it is still on this machine");
      this.#written("address_released", address, from, failed, startMs);
      for (const waiter of release.waiters) waiter(reply);
      this.#ended(address, true);
    });
  }

  #released(address: PublicAddress, release: Release, status: number): ControlReply {
    const { log, ownPnn } = this.#host;
    if (this.#host.localAddresses()?.has(address.text) === true) {
      log.error(`IP ${address.text} still hosted after its release (status ${status})`);
      return failure(`${address.text} is still on this machine`);
    }
    if (status !== 0) log.error(`Error releasing IP ${address.text} (but IP is gone!)`);
    address.unassign(ownPnn);
    address.pnn = release.targetPnn;
    this.#writeHeld();
    this.#host.tellClients(SRVID.RELEASE_IP, address.text);
    this.#deleteIfPending(address);
    return SUCCESS;
  }

  /** Everything that is here or on its way goes; `quiet` when nothing happens any more. */
  releaseAll(why: string, quiet: () => void = () => {}): void {
    const { log, ownPnn } = this.#host;
    let count = 0;
    const local = this.#host.localAddresses();
    for (const address of this.#book.list()) {
      stopAnnouncing(address);
      if (address.activity === "releasing") continue;
      if (address.activity !== "idle") {
        address.releaseNext = true;
        continue;
      }
      if (!this.#isHere(address, local)) {
        address.unassign(ownPnn);
        continue;
      }
      count += 1;
      this.#release(address, UNKNOWN_PNN, () => {});
    }
    this.#writeHeld();
    if (count > 0) log.notice(`Releasing ${count} public IPs: ${why}`);
    this.#quiet.push(quiet);
    this.#lookWhetherQuiet();
  }

  #written(
    kind: "address_taken" | "address_released",
    { text: address }: PublicAddress,
    interfaceName: string,
    failure: string | null,
    startMs = this.#host.clock.monotonicMs(),
  ): void {
    const { clock, journal } = this.#host;
    const durationMs = clock.monotonicMs() - startMs;
    const fields = { address, interface: interfaceName, duration_ms: durationMs, failure };
    journal.record({ kind, ...fields });
  }

  /** Something that was deleted goes now, or with its release. */
  delete(address: PublicAddress): void {
    address.deletePending = true;
    this.#deleteIfPending(address);
  }

  close(): void {
    this.#retry?.cancel();
    for (const address of this.#book.list()) stopAnnouncing(address);
    this.#quiet = [];
  }

  #isHere(address: PublicAddress, local = this.#host.localAddresses()): boolean {
    return local === undefined ? address.iface !== undefined : local.has(address.text);
  }

  #refusedWhileBusy(address: PublicAddress, what: string): ControlReply | undefined {
    if (address.activity === "idle") return undefined;
    const reason = `${what} of IP ${address.described} rejected, it is ${address.activity} now`;
    this.#host.log.notice(reason);
    return failure(reason);
  }

  /** `gone`: the event that ended was to take it away. */
  #ended(address: PublicAddress, gone: boolean): void {
    const wanted = address.releaseNext || this.#host.mustNotHost();
    address.releaseNext = false;
    if (wanted && this.#isHere(address)) {
      if (gone) this.#planRetry();
      else this.#release(address, UNKNOWN_PNN, () => {});
    } else if (wanted) {
      address.unassign(this.#host.ownPnn);
      this.#writeHeld();
    }
    this.#deleteIfPending(address);
    this.#lookWhetherQuiet();
  }

  #planRetry(): void {
    this.#retry?.cancel();
    this.#retry = this.#host.timers.after(RELEASE_RETRY_MS, () => {
      if (this.#host.mustNotHost()) this.releaseAll("an earlier release did not succeed");
    });
  }

  #lookWhetherQuiet(): void {
    if (this.#quiet.length === 0) return;
    if (this.#book.list().some(({ activity }) => activity !== "idle")) return;
    const waiting = this.#quiet;
    this.#quiet = [];
    for (const quiet of waiting) quiet();
  }

  #deleteIfPending(address: PublicAddress): void {
    if (!address.deletePending || address.activity !== "idle") return;
    if (address.pnn === this.#host.ownPnn) return;
    this.#book.remove(address);
  }

  #writeHeld(): void {
    if (this.#held === undefined) return;
    const held = this.#book
      .list()
      .filter(({ iface, activity }) => iface !== undefined || activity !== "idle");
    this.#held.write(held.map(({ text }) => text));
  }
}

function failureOf(event: string, status: number, why: string | undefined): string | null {
  if (status === 0) return null;
  return why ?? `its ${event} event ended with ${status}`;
}

function eventArguments(address: PublicAddress) {
  return [address.interfaceName, address.text, String(address.prefixLength)] as const;
}

function stopAnnouncing(address: PublicAddress): void {
  address.announcement?.cancel();
  address.announcement = undefined;
}

/** A move between interfaces must gain something. */
function betterElsewhere(address: PublicAddress, best: AddressInterface): boolean {
  const { iface } = address;
  if (iface === undefined || iface === best) return false;
  return !iface.usable || iface.references > best.references + 1;
}
