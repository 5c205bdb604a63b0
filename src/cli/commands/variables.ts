/** `getvar`, `setvar`, `listvars`: tunables by name. */
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { parseUnsigned32 } from "../numbers.ts";
import type { Facts } from "../schemas/facts.ts";
import type { variableFacts, variablesFacts } from "../schemas/node.ts";
import type { Session } from "../session.ts";

/** LIST_TUNABLES answers one text with colons between the names. */
async function tunableNames(session: Session, message = ""): Promise<readonly string[]> {
  const names = await session.ask("LIST_TUNABLES", undefined, session.target, message);
  return names.split(":").filter((name) => name !== "");
}

/** The name as the node writes it. */
async function expectTunable(session: Session, name: string): Promise<string> {
  const message = `Failed to get list of variables from node ${session.target}`;
  const wanted = name.toLowerCase();
  const names = await tunableNames(session, message);
  const known = names.find((each) => each.toLowerCase() === wanted);
  if (known !== undefined) return known;
  session.host.out(`No such tunable ${name}\n`);
  throw new CommandFailure(1);
}

function variableLine(name: string, value: number): string {
  return `${name.padEnd(26)} = ${value}\n`;
}

const everywhere = () => import("../variables_everywhere.ts");

export const getvar: Command = async (context, args) => {
  const { session, host, options } = context;
  expectArguments(args, 1);
  const name = args[0] as string;
  const known = await expectTunable(session, name);
  if (options.all) return await (await everywhere()).getEverywhere(context, known);
  const value = await session.ask("GET_TUNABLE", { name });
  const facts: Facts<typeof variableFacts> = { node: session.target, name: known, value };
  if (options.json) answerFacts(host, facts);
  else host.out(variableLine(name, value));
  return 0;
};

export const setvar: Command = async (context, args) => {
  const { session, host } = context;
  expectArguments(args, 2);
  const [name, text] = args as [string, string];
  await expectTunable(session, name);
  const value = parseUnsigned32(text);
  if (!value.ok) return value.error;
  if (context.options.all) {
    return await (await everywhere()).setEverywhere(context, name, value.value);
  }
  const outcome = await session.tryAsk("SET_TUNABLE", { value: value.value, name });
  if (outcome.ok) return 0;
  if (outcome.error !== 1) return outcome.error;
  host.err(`Setting obsolete tunable variable '${name}'\n`);
  return 0;
};

export const listvars: Command = async (context, args) => {
  const { session, host, options } = context;
  expectArguments(args, 0);
  const names = await tunableNames(session);
  if (options.all) return await (await everywhere()).listEverywhere(context, names);
  const values = await Promise.all(
    names.map(async (name) => {
      const value = await session.tryAsk("GET_TUNABLE", { name });
      return value.ok ? ([[name, value.value.data]] as const) : [];
    }),
  );
  const variables = values.flat();
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      variables: Object.fromEntries(variables),
    } satisfies Facts<typeof variablesFacts>);
  } else {
    host.out(variables.map(([name, value]) => variableLine(name, value)).join(""));
  }
  return 0;
};
