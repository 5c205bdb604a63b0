/** `ctdb ifaces` and `ctdb setifacelink`. */
import { textBytes } from "../../wire/codec.ts";
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { machineRow } from "../format.ts";
import { interfaceFacts } from "../interface_facts.ts";
import { answerFacts } from "../json.ts";
import type { ifacesFacts } from "../schemas/addresses.ts";
import type { Facts } from "../schemas/facts.ts";

const INTERFACE_NAME_BYTES_MAX = 16;

export const ifaces: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const interfaces = await session.ask("GET_IFACES", undefined);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      interfaces: interfaces.map(interfaceFacts),
    } satisfies Facts<typeof ifacesFacts>);
    return 0;
  }
  if (interfaces.length === 0) {
    host.out(`No interfaces configured on node ${session.target}\n`);
    return 0;
  }
  if (options.machine) {
    const rows = interfaces.map(({ name, link_state, references }) => [
      name,
      link_state,
      references,
    ]);
    const head = ["Name", "LinkStatus", "References"];
    host.out([head, ...rows].map((row) => `${machineRow(options.separator, row)}\n`).join(""));
    return 0;
  }
  const lines = interfaces.map(({ name, link_state, references }) => {
    return `name:${name} link:${link_state === 0 ? "down" : "up"} references:${references}\n`;
  });
  host.out(`Interfaces on node ${session.target}\n${lines.join("")}`);
  return 0;
};

export const setifacelink: Command = async ({ session, host }, args) => {
  expectArguments(args, 2);
  const [name, state] = args as [string, string];
  if (textBytes(name).length > INTERFACE_NAME_BYTES_MAX) {
    throw new CommandFailure(1, `Interface name '${name}' too long`);
  }
  const failure = `Failed to get interface information from node ${session.target}`;
  const interfaces = await session.ask("GET_IFACES", undefined, session.target, failure);
  if (!interfaces.some((entry) => entry.name === name)) {
    host.out(`Interface ${name} not configured on node ${session.target}\n`);
    return 1;
  }
  if (state !== "up" && state !== "down") throw new WrongArguments();
  const linkState = state === "up" ? 1 : 0;
  await session.ask("SET_IFACE_LINK_STATE", { name, link_state: linkState, references: 0 });
  return 0;
};
