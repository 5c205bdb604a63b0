/** The commands of scenario files about public addresses, their scripts, and connections of outside clients. */
import type { EventName } from "../../src/wire/events.ts";
import type { ScriptTrouble } from "../sim/event_scripts.ts";
import { publicAddress } from "../sim/host_addresses.ts";
import type { Command } from "./commands.ts";
import type { Stage } from "./stage.ts";
import { seconds } from "./words.ts";

const PLACED_LIMIT_SEC = 120;

export const ADDRESS_COMMANDS: readonly Command[] = [
  {
    pattern: "until placed",
    help: "until each address is on one host, and all running nodes know which; says what is missing after 120 s",
    action: (stage) => untilPlaced(stage, PLACED_LIMIT_SEC),
  },
  {
    pattern: "until placed within SECONDS",
    help: "the same with another limit",
    action: (stage, { SECONDS }) => untilPlaced(stage, seconds(SECONDS)),
  },
  {
    pattern: "addresses",
    help: "where each address is, by the kernels' tables: the same host as when this was asked last, or another one",
    action: (stage) => stage.addresses(),
  },
  {
    pattern: "addresses for SECONDS",
    help: "runs, and says for how long any of them was on two hosts, in tenths of a second",
    action: (stage, { SECONDS }) => stage.watchAddresses(seconds(SECONDS)),
  },
  {
    pattern: "addresses of PNN",
    help: "whether its host has any",
    action: (stage, { PNN }) => {
      const { all } = stage.node(PNN).host.publicAddresses;
      return [all.length === 0 ? "none" : "some"];
    },
  },
  {
    pattern: "name NAME host NUMBER",
    help: "the node that has the address of this number, from 1, by another name",
    action: (stage, { NAME, NUMBER }) => stage.nameHost(NAME ?? "", addressOf(NUMBER)),
  },
  {
    pattern: "cable PNN NAME PLUG",
    help: "of a public interface (pub0, pub1): out or in",
    action: (stage, { PNN, NAME, PLUG }) => {
      stage.node(PNN).host.publicAddresses.setLink(NAME ?? "", PLUG === "in");
      return undefined;
    },
  },
  {
    pattern: "scripts PNN TROUBLE REST",
    help: "those of these events fail, hang or are slow from now on",
    action: (stage, { PNN, TROUBLE, REST }) => {
      const what = TROUBLE as ScriptTrouble["what"];
      const events = (REST ?? "").split(" ") as EventName[];
      stage.node(PNN).scripts.trouble = { what, events };
      return undefined;
    },
  },
  {
    pattern: "scripts PNN work",
    help: "ends that",
    action: (stage, { PNN }) => {
      stage.node(PNN).scripts.trouble = undefined;
      return undefined;
    },
  },
  {
    pattern: "client PNN serves NUMBER PORT",
    help: "an smbd of the node has a connection from this port of an outside client to the address",
    action: (stage, { PNN, NUMBER, PORT }) =>
      stage.client(PNN, (client) => client.serves(addressOf(NUMBER), Number(PORT))),
  },
  {
    pattern: "tickled",
    help: "the ports of outside clients that were tickled since this was asked last",
    action: (stage) => [stage.tickledSince()],
  },
];

function addressOf(number: string | undefined): string {
  return publicAddress(Number(number) - 1);
}

function untilPlaced(stage: Stage, limitSec: number): readonly string[] {
  const reached = stage.until(() => stage.misplaced().length === 0, limitSec);
  return reached ? ["placed"] : stage.misplaced();
}
