/** Command lines of the small tools. */
import { expect, test } from "bun:test";
import { asksForJson, parseToolWords } from "./tool_words.ts";

function parsed(line: string, ...flags: string[]) {
  const result = parseToolWords(line === "" ? [] : line.split(" "), flags);
  if (!result.ok) return result.error;
  const { words, help, json } = result.value;
  return `${words.join(" ")}${help ? " help" : ""}${json ? " json" : ""}`;
}

test("parseToolWords() takes options anywhere, run together, twice, and none behind --", () => {
  const lines = {
    "get a b": "get a b",
    "get -d DEBUG a --json b": "get a b json",
    "-dDEBUG get --debug=INFO -j a -j": "get a json",
    "-jh get": "get help json",
    "-jd DEBUG get": "get json",
    "-? x": "x help",
    "--usage": " help",
    "get -- -j a --": "get -j a --",
    "- get": "- get",
    "": "",
  };
  for (const [line, expected] of Object.entries(lines)) {
    expect([line, parsed(line)]).toEqual([line, expected]);
  }
  expect(parsed("migrate --dry-run --dry-run f", "--dry-run")).toBe("migrate f");
});

test("parseToolWords() names the first wrong option, but none behind a request for help", () => {
  expect(parsed("get -x -z")).toBe("Invalid option -x: unknown option");
  expect(parsed("-jx get")).toBe("Invalid option -x: unknown option");
  expect(parsed("get --debug")).toBe("Invalid option --debug: missing argument");
  expect(parsed("get --dry-run")).toBe("Invalid option --dry-run: unknown option");
  expect(parsed("-h --frobnicate get")).toBe("get help");
  expect(parsed("--frobnicate -h")).toBe("Invalid option --frobnicate: unknown option");
});

test("asksForJson() sees the option in a line that is wrong otherwise", () => {
  expect(asksForJson(["-x", "--json"])).toBe(true);
  expect(asksForJson(["-x", "json"])).toBe(false);
});
