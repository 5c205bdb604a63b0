import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { APPLIANCE_CONF } from "./appliance_conf.ts";
import { CTDB_CONF } from "./options.ts";
import { SCRIPT_VARIABLES } from "./script_variables.ts";
import { TUNABLES } from "./tunables.ts";

const text = readFileSync(join(import.meta.dir, "../../docs/operations.md"), "utf8");

test("docs/operations.md has every option, and whether a running node takes a change of it", () => {
  const missing = [...CTDB_CONF.options, ...APPLIANCE_CONF.options]
    .map(
      ({ section, name, reload }) =>
        new RegExp(`\\| ${section} \\| ${name} \\|.*\\| ${reload} \\|`),
    )
    .filter((row) => !row.test(text));
  expect(missing).toEqual([]);
});

test("docs/operations.md names every variable of event scripts", () => {
  expect(SCRIPT_VARIABLES.filter((name) => !text.includes(`${name}`))).toEqual([]);
});

test("docs/operations.md has every tunable with its default", () => {
  const missing = TUNABLES.filter(({ name, defaultValue, obsolete }) =>
    obsolete ? !text.includes(name) : !text.includes(`| ${name} | ${defaultValue} |`),
  );
  expect(missing).toEqual([]);
});
