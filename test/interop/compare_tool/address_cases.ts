/**
 * Command lines about public addresses, interfaces, connections and services. The address that is added
 * is one of loopback, which every host has: taking it is nothing that a host could fail at.
 *
 * Not here: an address that a node cannot host, which `moveip` tries for 15 s, and `checktcpport` without a port, for
 * which the original shows its whole usage, since it looks for another name there.
 */
import type { Case } from "./cases.ts";

const ADDRESS = "127.0.0.201";
const CLIENT = "10.9.9.9:50001";
const SERVER = `${ADDRESS}:445`;

function words(lines: readonly string[]): readonly (readonly string[])[] {
  return lines.map((line) => line.split(" "));
}

function change(line: string, before: readonly string[], undo: readonly string[]): Case {
  const situations = ["healthy"] as const;
  return { args: line.split(" "), situations, before: words(before), undo: words(undo) };
}

const WITHOUT_ADDRESSES = [
  "ip",
  "ip all",
  "-v ip",
  "-X ip",
  "-Y -x : -v ip all",
  "-n 1 ip",
  "ipinfo 10.9.9.9",
  "-n 1 ipinfo fd00::1",
  "ifaces",
  "-X ifaces",
  "-n 1 ifaces",
  "setifacelink lo up",
  "gettickles 10.9.9.9",
  "gettickles fd00::1 445",
  `addtickle ${CLIENT} ${SERVER}`,
  `deltickle ${CLIENT} ${SERVER}`,
  "gratarp 10.9.9.9 absent0",
  "delip 10.9.9.9",
  "reloadips",
  "reloadips all",
  "-X ipinfo 10.9.9.9",
  "-Y ipinfo 10.9.9.9",
  "checktcpport 0",
  "-X checktcpport 0",
  "-Y checktcpport 0",
  ...["natgw", "lvs"].flatMap((name) =>
    ["leader", "list", "status"].flatMap((what) =>
      ["", "-X ", "-Y "].map((form) => `${form}${name} ${what}`),
    ),
  ),
  "checktcpport 4379",
];

const ADD = [`addip ${ADDRESS}/8 lo`, "ipreallocate"];
const DELETE = [`delip ${ADDRESS}`, "ipreallocate"];

const WITH_ADDRESS = [
  "ip all",
  "-v ip",
  "-v ip all",
  "-X ip",
  "-X -v ip all",
  "-n 1 ip all",
  `ipinfo ${ADDRESS}`,
  "ifaces",
  "-X ifaces",
  "-Y ifaces",
  "setifacelink lo sideways",
  `addip ${ADDRESS}/8 lo`,
  `moveip ${ADDRESS} 0`,
];

/** In this order: the first has the address added, the last has it taken away. */
const WHILE_ADDED: readonly Case[] = [
  change("ip", ADD, []),
  ...WITH_ADDRESS.map((line) => change(line, [], [])),
  change("setifacelink lo down", [], ["setifacelink lo up"]),
  change(`addtickle ${CLIENT} ${SERVER}`, [], [`deltickle ${CLIENT} ${SERVER}`]),
  change(`gettickles ${ADDRESS}`, [`addtickle ${CLIENT} ${SERVER}`], []),
  change(`-X gettickles ${ADDRESS} 445`, [], []),
  change(`-Y gettickles ${ADDRESS} 445`, [], []),
  change(`deltickle ${CLIENT} ${SERVER}`, [`addtickle ${CLIENT} ${SERVER}`], []),
  change("addip 127.0.0.202/8 lo", [], ["delip 127.0.0.202", "ipreallocate"]),
  change(`delip ${ADDRESS}`, [], [...DELETE, ...ADD]),
  change("ifaces", ADD, DELETE),
];

const WRONG = [
  "ip nonsense",
  "ip all extra",
  "ipinfo",
  "ipinfo nonsense",
  "ifaces extra",
  "setifacelink",
  "setifacelink lo",
  "setifacelink a_name_that_is_long up",
  "gettickles",
  "gettickles nonsense",
  "gettickles 10.9.9.9 nonsense",
  "addtickle nonsense",
  "addtickle 10.9.9.9 10.9.9.8:445",
  "addtickle 10.9.9.9:1 10.9.9.8:x",
  "deltickle 10.9.9.9:1 10.9.9.8",
  "tickle nonsense",
  "tickle 10.9.9.9:1 10.9.9.8",
  "-n 1 tickle 10.9.9.9:1 10.9.9.8:445",
  "gratarp 10.9.9.9",
  "gratarp nonsense lo",
  "moveip",
  "moveip nonsense 1",
  "moveip 10.9.9.9 nonsense",
  "-n 1 moveip 10.9.9.9 1",
  "addip",
  "addip 10.9.9.9 lo",
  "addip nonsense/24 lo",
  "addip 10.9.9.9/x lo",
  "delip",
  "delip nonsense",
  "reloadips 9",
  "reloadips 0 1",
  "-n 1 reloadips",
  "scriptstatus monitor extra",
  "-n 1 scriptstatus",
  "natgw",
  "-n 1 natgw leader",
  "lvs",
  "lvs leader extra",
];

export const ADDRESS_CASES: readonly Case[] = [
  ...WITHOUT_ADDRESSES.map((line) => change(line, [], [])),
  ...WHILE_ADDED,
];
export const WRONG_ADDRESS_CASES: readonly Case[] = WRONG.map((line) => change(line, [], []));
