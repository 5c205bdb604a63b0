/** `ctdb schema`: the JSON Schema of a command's document. */
import type { OfflineCommand } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { answerFacts } from "../json.ts";
import { documentNames, jsonSchema } from "../json_schema.ts";
import type { Facts } from "../schemas/facts.ts";
import type { schemaFacts } from "../schemas/schema.ts";

export const schema: OfflineCommand = async ({ host, options }, args) => {
  expectArguments(args, 1);
  const command = args[0] as string;
  const document = jsonSchema(command);
  if (document === undefined) {
    const expected = `expected a command, or one of ${documentNames().join(", ")}`;
    throw new CommandFailure(1, `No schema for "${command}": ${expected}`, "usage");
  }
  const facts: Facts<typeof schemaFacts> = { command, schema: document };
  if (options.json) answerFacts(host, facts);
  else host.out(`${JSON.stringify(document, null, 2)}\n`);
  return 0;
};
