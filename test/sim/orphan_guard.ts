/**
 * What a process of a simulated host does when its ctdbd is dead: the product's own removal of orphaned addresses, with
 * a stand-in for `ip` that changes the kernel's table of the host, and one for the lock of the pid file.
 */
import type { Logger } from "../../src/base/log.ts";
import { ok } from "../../src/base/result.ts";
import type { PidFile } from "../../src/daemon/lifecycle/pid_file.ts";
import { heldFilePath } from "../../src/failover/addresses/held_file.ts";
import { removeOrphanedAddresses } from "../../src/failover/addresses/orphans.ts";
import type { Network } from "../../src/platform/types/network.ts";
import type { SimFiles } from "./files.ts";
import type { HostAddresses } from "./host_addresses.ts";
import { PATHS } from "./node_config.ts";
import type { SimProcess } from "./scheduler.ts";

/** The lock of a node's pid file, which ends with its holder. */
export class PidLock {
  #holder: SimProcess | undefined;
  #writer: number | undefined;

  take(process: SimProcess): boolean {
    if (this.#holder?.alive === true && this.#holder !== process) return false;
    this.#holder = process;
    return true;
  }
  release(process: SimProcess): void {
    if (this.#holder === process) this.#holder = undefined;
  }

  fileOf(process: SimProcess, pid: number): PidFile {
    return {
      acquire: () => {
        if (!this.take(process)) return { ok: false, error: "the pid file is locked" };
        this.#writer = pid;
        return ok(undefined);
      },
      release: () => this.release(process),
      writer: () => this.#writer,
    };
  }
}

export interface GuardedHost {
  readonly files: SimFiles;
  readonly addresses: HostAddresses;
  readonly pidLock: PidLock;
}

const IP_MS = 4;

export function guardAddresses(
  { files, addresses, pidLock }: GuardedHost,
  own: { readonly process: SimProcess; readonly network: Network; readonly log: Logger },
  parent: { readonly pid: number; isAlive(): boolean },
  over: () => void,
): void {
  const { process, network, log } = own;
  const change = (batch: string) => {
    const text = files.readText(batch);
    for (const line of text.ok ? text.value.split("\n") : []) {
      const [, what, place = "", , interfaceName = ""] = line.split(" ");
      const [address = "", bits] = place.split("/");
      if (what === "del") addresses.remove(address);
      else if (what === "add") addresses.add(address, interfaceName, Number(bits));
    }
  };
  removeOrphanedAddresses(
    {
      log,
      files,
      network,
      processes: {
        spawn: ({ argv, onExit }) => {
          process.timers.after(IP_MS, () => {
            change(argv.at(-1) ?? "");
            onExit({ code: 0, signal: undefined });
          });
          return ok({ pid: 1, kill: () => {}, tell: () => {} });
        },
      },
      environment: {},
      timers: process.timers,
      clock: process.clock,
      heldFile: heldFilePath(PATHS.runDirectory),
      parentPid: parent.pid,
      parentGone: () => !parent.isAlive(),
      lockPidFile: () =>
        pidLock.take(process) ? { release: () => pidLock.release(process) } : undefined,
    },
    over,
  );
}
