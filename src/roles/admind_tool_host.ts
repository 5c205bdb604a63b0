/** What commands of the tool get of ctdb-admind's process. Loaded when the first one runs. */
import { err, ok, type Result } from "../base/result.ts";
import type { Machine } from "../cli/doctor/machine.ts";
import type { ToolHost } from "../cli/host.ts";
import type { Network } from "../platform/types/network.ts";
import type { Processes } from "../platform/types/processes.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import { toolHost } from "./ctdb.ts";
import { inheritedEnvironment } from "./environment.ts";

export interface AdmindToolParts {
  readonly network: Network;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly processes: Processes;
}

/** What they would ask of a process that is theirs alone, they share here. */
export function admindToolHost(parts: AdmindToolParts): ToolHost {
  const { network, timers, clock, processes } = parts;
  let machine: Promise<Machine> | undefined;
  return {
    ...toolHost({ out() {}, err() {} }),
    network,
    timers,
    clock,
    machine: () => {
      machine ??= import("./ctdb_machine.ts").then(({ systemMachine }) => systemMachine());
      return machine;
    },
    run: (argv) => runToEnd(processes, argv),
    rawNetwork: () => Promise.resolve(err("not in ctdb-admind")),
    readInput: () => Promise.resolve(err("ctdb-admind has no input for commands")),
    hasAddress: (address) => Promise.resolve(canBind(network, address)),
  };
}

function runToEnd(processes: Processes, argv: readonly string[]): Promise<Result<string, string>> {
  const [program, ...args] = argv;
  if (program === undefined) return Promise.resolve(err("ENOENT"));
  return new Promise((resolve) => {
    const lines: string[] = [];
    const child = processes.spawn({
      argv: [program, ...args],
      env: inheritedEnvironment(),
      onOutputLine: (line, from) => {
        if (from === "stdout") lines.push(`${line}\n`);
      },
      onExit: () => resolve(ok(lines.join(""))),
    });
    if (!child.ok) resolve(err(child.error.code));
  });
}

function canBind(network: Network, address: string): boolean {
  const nothing = { onData() {}, onDrain() {}, onClose() {} };
  const server = network.listenTcp(address, 0, () => nothing);
  if (server.ok) server.value.close();
  return server.ok;
}
