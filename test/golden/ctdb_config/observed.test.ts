/**
 * What Samba's own ctdb-config (4.25 in development) said of each file of observed.json: the status of `validate` and of
 * `dump`, and the options that `dump` showed as given. docs/testing.md says how it was observed.
 */
import { expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runConfigTool } from "../../../src/config/config_tool.ts";
import { resolvePaths } from "../../../src/config/paths.ts";
import { SystemFiles } from "../../../src/platform/node/file_system.ts";
import { must } from "../../support/must.ts";
import { withTemporaryDirectory } from "../../support/temp_dir.ts";

interface Observed {
  /** The dump of an empty file, without what depends on where it was built. */
  readonly standard: string;
  readonly cases: readonly {
    readonly file: string;
    readonly validate: number;
    readonly dump: number;
    readonly given: readonly string[];
  }[];
}

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
const observed: Observed = JSON.parse(readFileSync(join(import.meta.dir, "observed.json"), "utf8"));

test("ctdb-config answers as the newest original does", async () => {
  await withTemporaryDirectory(async (base) => {
    writeFileSync(join(base, "hung.sh"), "");
    chmodSync(join(base, "hung.sh"), 0o755);
    writeFileSync(join(base, "plain.sh"), "");
    const paths = must(resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: base }, "/opt"));
    const run = (...args: string[]) => {
      let out = "";
      const print = (text: string) => {
        out += text;
      };
      const host = { paths, files: new SystemFiles(), out: print, err() {} };
      return { status: runConfigTool(host, args), out };
    };
    for (const { file, validate, dump, given } of observed.cases) {
      writeFileSync(join(base, "ctdb.conf"), file);
      const dumped = run("dump");
      const lines = dumped.out.split("\n").filter((line) => /^\t[^#]/.test(line));
      const ours = [run("validate").status, dumped.status, lines.map((line) => line.slice(1))];
      const expected = STRICTER.has(file) ? [EINVAL, EINVAL, []] : [validate, dump, given];
      expect<unknown>([file, ...ours]).toEqual([file, ...expected]);
      if (dumped.status !== 0 || lines.length > 0) continue;
      const plain = dumped.out.replace(/^\t# (location|.* directory) = .*\n/gm, "");
      expect(plain).toBe(observed.standard);
    }
    expect(observed.cases.filter(({ file }) => STRICTER.has(file))).toHaveLength(STRICTER.size);
  });
});
