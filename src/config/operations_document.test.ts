import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OPTIONS } from "./options.ts";
import { TUNABLES } from "./tunables.ts";

const text = readFileSync(join(import.meta.dir, "../../docs/operations.md"), "utf8");

test("docs/operations.md has every option of ctdb.conf", () => {
  const missing = Object.values(OPTIONS)
    .map((option) => `| ${option.section} | ${option.name} |`)
    .filter((row) => !text.includes(row));
  expect(missing).toEqual([]);
});

test("docs/operations.md has every tunable with its default", () => {
  const missing = TUNABLES.filter(({ name, defaultValue, obsolete }) =>
    obsolete ? !text.includes(name) : !text.includes(`| ${name} | ${defaultValue} |`),
  );
  expect(missing).toEqual([]);
});
