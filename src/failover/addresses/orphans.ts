/**
 * When ctdbd is killed no handler runs, and the addresses that it had taken would stay up for ever. A child that outlives
 * it takes them down (docs/failover.md, "When ctdbd dies").
 *
 *     waiting for the parent to be gone ─▶ looking and removing, several times ─▶ over
 *
 * Invariants:
 * 1. Only addresses go that the dead ctdbd wrote down as its own (held_file.ts), by the pid that was our parent.
 * 2. The pid file is locked meanwhile: no other ctdbd of this node runs, and one that starts waits.
 * 3. An address that the kernel takes along with another one of the same network is put back.
 * 4. What the dead ctdbd wrote down stays: a child that was stopped meanwhile looks once more, after it has ended the
 *    scripts that went on without it.
 */
import type { Logger } from "../../base/log.ts";
import type { FileSystem } from "../../platform/types/files.ts";
import type { Network, NetworkInterface } from "../../platform/types/network.ts";
import type { Processes } from "../../platform/types/processes.ts";
import type { Clock, Timers } from "../../platform/types/time.ts";
import { readHeldFile } from "./held_file.ts";

export interface OrphanHost {
  readonly log: Logger;
  readonly files: FileSystem;
  readonly network: Pick<Network, "interfaces">;
  readonly processes: Pick<Processes, "spawn">;
  readonly environment: Readonly<Record<string, string>>;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly heldFile: string;
  readonly parentPid: number;
  /** Our parent has died, rather than closed our connection. */
  parentGone(): boolean;
  /** Locks the pid file of the dead parent; undefined: somebody has it, or it is not there. */
  lockPidFile(): { release(): void } | undefined;
}

const PARENT_POLL_MS = 20;
/** A dying process with much memory closes its sockets some time before it is gone. */
const PARENT_GONE_MAX_MS = 3000;
/** A script that was at work when ctdbd died may put an address up after we looked. */
const LOOK_INTERVAL_MS = 250;
const LOOK_AT_LEAST_MS = 1500;
const LOOK_AT_MOST_MS = 5000;
const PROGRAMS = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"];

interface Placed {
  readonly address: string;
  readonly prefixLength: number;
  readonly interfaceName: string;
}

/** `over` comes once. */
export function removeOrphanedAddresses(host: OrphanHost, over: () => void): void {
  new Removal(host, over).start();
}

class Removal {
  readonly #host: OrphanHost;
  readonly #over: () => void;
  readonly #startMs: number;
  #orphans: ReadonlySet<string> = new Set();
  #lock: { release(): void } | undefined;

  constructor(host: OrphanHost, over: () => void) {
    this.#host = host;
    this.#over = over;
    this.#startMs = host.clock.monotonicMs();
  }

  start(): void {
    const { parentGone, timers } = this.#host;
    if (!parentGone()) {
      if (this.#elapsedMs() > PARENT_GONE_MAX_MS) {
        this.#end();
        return;
      }
      timers.after(PARENT_POLL_MS, () => this.start());
      return;
    }
    const { files, heldFile, parentPid, log } = this.#host;
    if (!files.exists(heldFile)) {
      this.#end();
      return;
    }
    const held = readHeldFile(files, heldFile);
    if (!held.ok) {
      log.error(`Cannot read "${heldFile}", public addresses of ctdbd stay: ${held.error}`);
      this.#end();
      return;
    }
    if (held.value.pid !== parentPid || held.value.addresses.length === 0) {
      this.#end();
      return;
    }
    this.#orphans = new Set(held.value.addresses);
    this.#lock = this.#host.lockPidFile();
    if (this.#lock === undefined) {
      log.notice(
        "Another ctdbd or another child has the pid file: it sees to the public addresses",
      );
      this.#end();
      return;
    }
    log.error(`ctdbd ${parentPid} is dead, removing its ${this.#orphans.size} public addresses`);
    this.#look();
  }

  #look(): void {
    const before = this.#placed();
    const there = before?.filter(({ address }) => this.#orphans.has(address)) ?? [];
    const elapsedMs = this.#elapsedMs();
    if (elapsedMs > LOOK_AT_MOST_MS) {
      const left = there.map(({ address }) => address).join(", ");
      if (left !== "") this.#host.log.error(`Cannot remove public addresses ${left}`);
      this.#end();
      return;
    }
    if (there.length > 0) {
      const kept = (before ?? []).filter(({ address }) => !this.#orphans.has(address));
      this.#change("del", there, () => this.#putBack(kept));
      return;
    }
    if (before !== undefined && elapsedMs >= LOOK_AT_LEAST_MS) {
      this.#end();
      return;
    }
    this.#lookLater();
  }

  /** With a primary address of a network its secondary ones go, where the system is set up like that. */
  #putBack(kept: readonly Placed[]): void {
    const now = new Set((this.#placed() ?? kept).map(placeText));
    const lost = kept.filter((placed) => !now.has(placeText(placed)));
    if (lost.length === 0) {
      this.#lookLater();
      return;
    }
    this.#change("add", lost, () => this.#lookLater());
  }

  #lookLater(): void {
    this.#host.timers.after(LOOK_INTERVAL_MS, () => this.#look());
  }

  #change(what: "add" | "del", addresses: readonly Placed[], then: () => void): void {
    const { files, heldFile, log, processes, environment } = this.#host;
    const batch = `${heldFile}.batch`;
    const commands = addresses.map((placed) => `address ${what} ${placeText(placed)}\n`).join("");
    const written = files.writeText(batch, commands, 0o600);
    const program = PROGRAMS.find((path) => files.exists(path)) ?? "ip";
    const started = written.ok
      ? processes.spawn({
          argv: [program, "-force", "-batch", batch],
          env: environment,
          onOutputLine: (line) => log.error(`${program}: ${line}`),
          onExit: () => {
            log.notice(`Public addresses: ${what} ${addresses.map(placeText).join(", ")}`);
            files.remove(batch);
            then();
          },
        })
      : written;
    if (started.ok) return;
    log.error(`Cannot change addresses: ${started.error.message}`);
    this.#lookLater();
  }

  #placed(): readonly Placed[] | undefined {
    const interfaces = this.#host.network.interfaces();
    return interfaces.ok ? interfaces.value.flatMap(placedOn) : undefined;
  }

  #elapsedMs(): number {
    return this.#host.clock.monotonicMs() - this.#startMs;
  }

  #end(): void {
    this.#lock?.release();
    this.#over();
  }
}

function placedOn({ name, addresses }: NetworkInterface): readonly Placed[] {
  return addresses.map(({ address, prefixLength }) => ({
    address,
    prefixLength,
    interfaceName: name,
  }));
}

/** As `ip address add` and `del` take it. */
function placeText({ address, prefixLength, interfaceName }: Placed): string {
  return `${address}/${prefixLength} dev ${interfaceName}`;
}
