/** `--json`: each document against its schema, errors as documents, statuses of their own. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { COMMANDS } from "../../src/cli/commands.ts";
import { FACTS } from "../../src/cli/schemas/table.ts";
import { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { runCtdb } from "./tool_harness.ts";

test("Every command that gives facts has a schema, and every schema a command", () => {
  const giving = COMMANDS.filter(({ json }) => json === "facts").map(({ name }) => name);
  expect(Object.keys(FACTS).sort()).toEqual([...giving].sort());
});

test("A document is valid against its schema and names the schema's version", async () => {
  const { status, out, err } = await runCtdb({ ctdbd: new FakeCtdbd() }, "pnn", "--json");
  expect([status, err]).toEqual([0, ""]);
  const { schema_version, ...facts } = JSON.parse(out);
  expect(schema_version).toBe(1);
  expect(v.parse(FACTS["pnn"] as v.GenericSchema, facts)).toEqual(facts);
});

test("Errors are documents on standard error, with statuses for usage and no daemon", async () => {
  const unknown = await runCtdb({}, "--json", "pnm");
  expect([unknown.status, unknown.out]).toEqual([64, ""]);
  expect(JSON.parse(unknown.err)).toEqual({
    schema_version: 1,
    error: { command: null, kind: "usage", status: 64, messages: ["Unknown command 'pnm'"] },
  });
  const alone = await runCtdb({}, "--json", "pnn");
  expect([alone.status, alone.out]).toEqual([69, ""]);
  expect(JSON.parse(alone.err).error.kind).toBe("no daemon");
  expect(JSON.parse(alone.err).error.messages).toContain("Is this node part of CTDB cluster?");
});
