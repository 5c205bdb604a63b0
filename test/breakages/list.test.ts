/** The list is in order; that each breakage is caught is tested by test/torture/breakages.test.ts. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { editedFiles } from "../sim/mutants.ts";
import { documentRow } from "./document.ts";
import { BREAKAGES } from "./list.ts";

const ROOT = resolve(import.meta.dir, "../..");

// Whoever changes such a line finds the new place for the breakage, or a better one.
test("every breakage still finds its text, and its tests are there", () => {
  // All of them, for whoever has changed many lines.
  const lost = BREAKAGES.flatMap((breakage) => {
    const missing = breakage.tests.filter((path) => !existsSync(resolve(ROOT, path)));
    try {
      return editedFiles(breakage).size > 0 ? missing : [`${breakage.name} edits nothing`];
    } catch (error) {
      return [(error as Error).message, ...missing];
    }
  });
  expect(lost).toEqual([]);
  expect(new Set(BREAKAGES.map(({ name }) => name)).size).toBe(BREAKAGES.length);
});

// bun run test/breakages/run.ts --document prints them.
test("docs/breakages.md has every breakage", () => {
  const text = readFileSync(resolve(ROOT, "docs/breakages.md"), "utf8");
  const rows = BREAKAGES.map(documentRow);
  expect(rows.filter((row) => !text.includes(row))).toEqual([]);
});
