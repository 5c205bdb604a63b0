/** Plays a scenario file: finds each command in the table, does it, collects what it prints. */
import { InvariantViolation } from "../sim/violation.ts";
import { ADDRESS_COMMANDS } from "./address_commands.ts";
import { COMMANDS } from "./commands.ts";
import { JOURNAL_COMMANDS } from "./journal_commands.ts";
import { formatScript, parseScript, type Script } from "./script.ts";
import { Stage } from "./stage.ts";
import { WEATHER_COMMANDS } from "./weather_commands.ts";

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  PNN: "[0-9]+|[A-Z][a-z]*",
  OTHER: "[0-9]+|[A-Z][a-z]*",
  ROLE: "leader|follower|holder",
  NAME: "\\S+",
  KEY: "\\S+",
  FLAG: "readonly|sticky",
  SECONDS: "[0-9.]+s",
  NUMBER: "[0-9]+",
  PORT: "[0-9]+",
  PLUG: "in|out",
  TROUBLE: "fail|hang|slow",
  REST: ".+",
};

export const ALL_COMMANDS = [
  ...COMMANDS,
  ...ADDRESS_COMMANDS,
  ...JOURNAL_COMMANDS,
  ...WEATHER_COMMANDS,
];

const TABLE = ALL_COMMANDS.map(({ pattern, action }) => {
  const words = pattern.split(" ").map((word) => {
    const expression = PLACEHOLDERS[word];
    return expression === undefined ? word : `(?<${word}>(?:${expression}))`;
  });
  return { expression: new RegExp(`^${words.join(" +")}$`), action };
});

/** The text of the file with the output that its commands have now. */
export function play(text: string): string {
  const script = parseScript(text);
  return formatScript(script, outputsOf(script));
}

function outputsOf(script: Script): (readonly string[])[] {
  const stage = new Stage();
  const outputs: (readonly string[])[] = [];
  for (const { command, line } of script.steps) {
    try {
      outputs.push(perform(stage, command));
    } catch (error) {
      // What a checker says is output like any other; nothing can follow it.
      if (error instanceof InvariantViolation) {
        outputs.push([`violation: ${error.message}`]);
        break;
      }
      throw new Error(`line ${line}: ${command}: ${(error as Error).message}`, { cause: error });
    }
  }
  return outputs;
}

function perform(stage: Stage, command: string): readonly string[] {
  for (const { expression, action } of TABLE) {
    const match = expression.exec(command.trim());
    if (match !== null) return action(stage, match.groups ?? {}) ?? [];
  }
  throw new Error(
    "no such command; the tables are in test/scenarios/commands.ts and address_commands.ts",
  );
}
