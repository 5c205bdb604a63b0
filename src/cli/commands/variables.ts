/** `getvar`, `setvar`, `listvars`: tunables by name. */
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { parseUnsigned32 } from "../numbers.ts";
import type { Session } from "../session.ts";

/** LIST_TUNABLES answers one text with colons between the names. */
async function tunableNames(session: Session, message = ""): Promise<readonly string[]> {
  const names = await session.ask("LIST_TUNABLES", undefined, session.target, message);
  return names.split(":").filter((name) => name !== "");
}

async function expectTunable(session: Session, name: string): Promise<void> {
  const message = `Failed to get list of variables from node ${session.target}`;
  const wanted = name.toLowerCase();
  const names = await tunableNames(session, message);
  if (names.some((known) => known.toLowerCase() === wanted)) return;
  session.host.out(`No such tunable ${name}\n`);
  throw new CommandFailure(1);
}

function variableLine(name: string, value: number): string {
  return `${name.padEnd(26)} = ${value}\n`;
}

export const getvar: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const name = args[0] as string;
  await expectTunable(session, name);
  host.out(variableLine(name, await session.ask("GET_TUNABLE", { name })));
  return 0;
};

export const setvar: Command = async ({ session, host }, args) => {
  expectArguments(args, 2);
  const [name, text] = args as [string, string];
  await expectTunable(session, name);
  const value = parseUnsigned32(text);
  if (!value.ok) return value.error;
  const outcome = await session.tryAsk("SET_TUNABLE", { value: value.value, name });
  if (outcome.ok) return 0;
  if (outcome.error !== 1) return outcome.error;
  host.err(`Setting obsolete tunable variable '${name}'\n`);
  return 0;
};

export const listvars: Command = async ({ session, host }, args) => {
  expectArguments(args, 0);
  const names = await tunableNames(session);
  const values = await Promise.all(
    names.map(async (name) => {
      const value = await session.tryAsk("GET_TUNABLE", { name });
      return value.ok ? variableLine(name, value.value.data) : "";
    }),
  );
  host.out(values.join(""));
  return 0;
};
