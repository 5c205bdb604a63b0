/**
 * What Samba's own ctdb-config (4.25 in development) said of each file of observed.json: the status of `validate`, `dump`
 * and `get` of every option, the options that `dump` showed as given, and the values that `get` printed; and what it said
 * to other command lines. docs/testing.md says how it was observed.
 */
import { expect, test } from "bun:test";
import { runConfigTool } from "../../../src/config/config_tool.ts";
import { resolvePaths } from "../../../src/config/paths.ts";
import { SystemFiles } from "../../../src/platform/node/file_system.ts";
import { must } from "../../support/must.ts";
import { withTemporaryDirectory } from "../../support/temp_dir.ts";
import { LINES, observe, observed, optionsOf, prepare } from "./observed_cases.ts";

/** Ours refuses on purpose what it would have read in part, or not at all (docs/operations.md, "What is wrong"). */
const STRICTER = new Set([
  "[failover]\n\tshutdown extra timeout = x\n",
  "[cluster]\nleader timeout = 5 # five\n",
  "[cluster]\nleader timeout = 7 ; x\n",
  "[cluster]\nleader timeout\n",
  "[cluster\nleader timeout = 7\n",
  "[cluster]\nleader timeout = 5x\n",
  "[cluster]\n= 7\n",
  "[cluster]\nleader timeout = 1.5\n",
]);

const EINVAL = 22;

test("ctdb-config answers as the newest original does", async () => {
  await withTemporaryDirectory(async (base) => {
    prepare(base);
    const paths = must(resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: base }, "/opt"));
    const ask = (...args: readonly string[]) => {
      let out = "";
      const print = (text: string) => {
        out += text;
      };
      const host = { paths, files: new SystemFiles(), out: print, err() {} };
      return { status: runConfigTool(host, args), out };
    };
    const files = observed.cases.map(({ file }) => file);
    const ours = observe(base, ask, files);
    expect(ours.standard).toBe(observed.standard);
    const refused = { validate: EINVAL, dump: EINVAL, given: [], get: EINVAL, values: {} };
    for (const [at, expected] of observed.cases.entries()) {
      const { file } = expected;
      expect(ours.cases[at]).toEqual(STRICTER.has(file) ? { file, ...refused } : expected);
    }
    expect(files.filter((file) => STRICTER.has(file))).toHaveLength(STRICTER.size);
    expect(ours.lines).toEqual(observed.lines);
  });
});

test("what was observed has every option with another value than its default, and every line", () => {
  const options = optionsOf(observed.standard);
  expect(options.length).toBeGreaterThan(15);
  const seen = new Set(observed.cases.flatMap(({ values }) => Object.keys(values)));
  const names = options.map(([section, name]) => `[${section}] ${name}`);
  // There is no other value.
  expect(names.filter((name) => !seen.has(name))).toEqual(["[cluster] transport"]);
  expect(observed.lines.map(({ args }) => args)).toEqual([...LINES]);
});
