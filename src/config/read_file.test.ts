/** What a file of the configuration may not be, whatever it says: the same for every one of them. */
import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { loadCtdbConfig } from "./ctdb_conf.ts";
import { CONFIG_FILE_BYTES_MAX, CONFIG_LINE_LETTERS_MAX } from "./limits.ts";
import { loadNodesFile } from "./nodes.ts";
import { resolvePaths } from "./paths.ts";
import { problemText } from "./problems.ts";
import { loadPublicAddresses } from "./public_addresses.ts";
import { TunableSet } from "./tunables.ts";
import { loadTunables } from "./tunables_file.ts";
import type { ConfigProblem } from "./types.ts";

const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt");
const paths = resolved.ok ? resolved.value : (undefined as never);

type Reader = (files: MemoryFiles) => readonly ConfigProblem[];

const READERS: Readonly<Record<string, readonly [file: string, good: string, read: Reader]>> = {
  conf: [
    "/n/ctdb.conf",
    "[cluster]\nleader timeout = 7\n",
    (files) => {
      const loaded = loadCtdbConfig(files, paths);
      return loaded.ok ? loaded.value.warnings : loaded.error;
    },
  ],
  nodes: [
    "/n/nodes",
    "10.0.0.1\n10.0.0.2\n",
    (files) => {
      const loaded = loadNodesFile(files, "/n/nodes");
      return loaded.ok ? [] : loaded.error;
    },
  ],
  addresses: [
    "/n/public_addresses",
    "10.0.0.1/24 eth0\n# no more\n",
    (files) => {
      const loaded = loadPublicAddresses(files, "/n/public_addresses");
      return loaded.ok ? [] : loaded.error;
    },
  ],
  tunables: [
    "/n/ctdb.tunables",
    "MonitorInterval=7\nRecoverTimeout=30\n",
    (files) => loadTunables(files, paths, new TunableSet()),
  ],
  "tunables.d": [
    "/n/tunables.d/a.tunables",
    "MonitorInterval=7\nRecoverTimeout=30\n",
    (files) => loadTunables(files, paths, new TunableSet()),
  ],
};

const told = (problems: readonly ConfigProblem[]) => problems.map(problemText);

for (const [name, [file, good, read]] of Object.entries(READERS)) {
  const problems = (text: string) => told(read(new MemoryFiles({ [file]: text }, ["/n"])));

  test(`${name}: carriage returns and comments in Latin-1 say nothing`, () => {
    expect(problems(good.replaceAll("\n", "\r\n"))).toEqual([]);
    expect(problems(`# f\udcfcr alle\n${good}`)).toEqual([]);
  });

  test(`${name}: a byte order mark, UTF-16 and NUL bytes are named`, () => {
    expect(problems(`\ufeff${good}`)).toEqual([
      `"${file}": line 1: expected text without a byte order mark: take the first three bytes away`,
    ]);
    expect(problems(`\udcff\udcfe[\0c\0]\0`)).toEqual([
      `"${file}": line 1: expected text in UTF-8, it is UTF-16`,
    ]);
    expect(problems(`${good}a=\0b\n`)).toEqual([
      `"${file}": line 3: expected text, it has a NUL byte`,
    ]);
  });

  test(`${name}: a long line and a large file are refused in no time`, () => {
    const long = CONFIG_LINE_LETTERS_MAX + 1;
    expect(problems(`${good}${" ".repeat(long)}\n`)).toEqual([
      `"${file}": line 3: expected at most ${CONFIG_LINE_LETTERS_MAX} letters, it has ${long}`,
    ]);
    expect(problems("\n".repeat(CONFIG_FILE_BYTES_MAX + 1))).toEqual([
      `"${file}": expected at most ${CONFIG_FILE_BYTES_MAX} bytes, it has more`,
    ]);
    const spaces = " ".repeat(CONFIG_LINE_LETTERS_MAX - 2);
    expect(problems(`a${spaces}b\n`.repeat(100)).length).toBeGreaterThan(50);
    expect(problems("a \\\n".repeat(20_000)).length).toBeLessThan(102);
  });

  test(`${name}: bytes in a message are shown as escapes`, () => {
    const [problem = ""] = problems("z\udce4=\u001b[0m\n");
    expect(problem).toMatch(/z\\xe4/);
    expect(problem).not.toMatch(/[\udc80-\udcff]|\p{Cc}/u);
    expect(problem.isWellFormed()).toBe(true);
  });
}

test("values may be bytes that are no UTF-8, where they are names of files", () => {
  const files = new MemoryFiles({ "/n/ctdb.conf": "[cluster]\ncluster lock = /\udce4/x\n" });
  const loaded = loadCtdbConfig(files, paths);
  expect(loaded.ok && loaded.value.config.cluster.clusterLock).toBe("/\udce4/x");
});

test("what is given twice counts the second time, with a warning", () => {
  const twice = "[cluster]\nleader timeout = 7\n[logging]\n[cluster]\nleader timeout = 9\n";
  const loaded = loadCtdbConfig(new MemoryFiles({ "/n/ctdb.conf": twice }), paths);
  if (!loaded.ok) throw new Error(told(loaded.error).join());
  expect(loaded.value.config.cluster.leaderTimeoutSec).toBe(9);
  expect(told(loaded.value.warnings)).toEqual([
    '"/n/ctdb.conf": line 5: [cluster] leader timeout: stands in line 2 already; the last one counts',
  ]);
});
