import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { play } from "./play.ts";
import { formatScript, parseScript } from "./script.ts";

const NAMES = readdirSync(import.meta.dir).filter((name) => name.endsWith(".txt"));

test("parseScript() and formatScript() keep a file as it is", () => {
  const text = "# why\n\ncluster nodes=1\n  out\n\n# more\nstart\n\n# end\n";
  const script = parseScript(text);
  expect(script.steps.map(({ command, line }) => [command, line])).toEqual([
    ["cluster nodes=1", 3],
    ["start", 7],
  ]);
  const outputs = script.steps.map(({ expected }) => expected);
  expect(formatScript(script, outputs)).toBe(text);
});

test("play() names the line of a command that does not exist", () => {
  expect(() => play("cluster nodes=1\ndance 1\n")).toThrow("line 2: dance 1: no such command");
});

for (const name of NAMES) {
  test(`scenario ${name.replace(/\.txt$/, "").replaceAll("_", " ")}`, () => {
    const text = readFileSync(join(import.meta.dir, name), "utf8");
    expect(play(text)).toBe(text);
  });
}
