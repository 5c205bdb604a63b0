/** The tool inside of ctdb-admind: commands run in this process, and what they print is the answer. */
import type { Tool } from "../admin/parts.ts";
import { bytesText } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import { commandRow } from "../cli/commands.ts";
import type { Machine } from "../cli/doctor/machine.ts";
import type { ToolHost } from "../cli/host.ts";
import { runTool } from "../cli/tool.ts";
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

export function admindTool(host: ToolHost): Tool {
  return {
    command: (name) => commandRow(name),
    async schema(name) {
      const { jsonSchema } = await import("../cli/json_schema.ts");
      return jsonSchema(name) ?? {};
    },
    async run(args) {
      const said = { text: "", error: "" };
      const status = await runTool(
        {
          ...host,
          out: (text) => {
            said.text += typeof text === "string" ? text : bytesText(text);
          },
          err: (text) => {
            said.error += text;
          },
        },
        args,
      );
      return { status, ...said };
    },
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
