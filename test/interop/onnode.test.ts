/** onnode beside Debian's, over a cluster of ours and a stand-in for ssh: what it prints, where, its exit status. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "../support/command.ts";
import { DIST } from "../support/executables.ts";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const STOCK = "/usr/bin/onnode";
const OURS = join(PROJECT, "scripts/bin/onnode");

const WHO = "ctdb pnn; echo error >&2";
const FAILS = 'pnn=$(ctdb pnn); echo "node $pnn"; exit $((pnn * 3))';

/** Options, nodes and command; node 2 is disabled. */
const CASES: readonly (readonly string[])[] = [
  ["all", WHO],
  ["-q", "all", WHO],
  ["-v", "1", WHO],
  ["-v", "-q", "1", WHO],
  ["-p", "all", WHO],
  ["-pq", "all", WHO],
  ["-pv", "1", FAILS],
  ["-p", "0,1", FAILS],
  ["-pq", "0,2", FAILS],
  ["all", FAILS],
  ["2,0", FAILS],
  ["0-1", "ctdb", "pnn"],
  ["1,0,1", "ctdb", "pnn"],
  ["2-1", "ctdb", "pnn"],
  ["0-2,all", "ctdb pnn"],
  ["ok", WHO],
  ["healthy", WHO],
  ["con", WHO],
  ["connected,0", WHO],
  ["any", "true"],
  ["-i", "0", "cat"],
  ["0", "cat"],
  ["-c", "0", "pwd"],
  ["-n", "nowhere", "true"],
  ["-n", "1,nowhere", "ctdb", "pnn"],
  ["-n", "-f", "/dev/null", "nowhere", "true"],
  ["-f", "nodes", "1", "ctdb pnn"],
  ["-f", "missing", "1", "ctdb pnn"],
  ["3", "true"],
  ["99", "true"],
  ["0-5", "true"],
  ["-P", "all", "file", "/other"],
  ["-vP", "1", "file"],
];

/** What is refused with an explanation, which is each one's own. */
const REFUSED: readonly (readonly string[])[] = [
  ["1000", "true"],
  ["x", "true"],
  ["0-", "true"],
  ["-z", "0", "true"],
  ["-f"],
  ["0"],
  ["-h"],
  [],
];

const SSH = `#!/bin/sh
[ "$1" = "-n" ] && shift && exec </dev/null
base="\${CTDB_BASE%/*}/node.$(expr "\${1##*.}" - 1 2>/dev/null)"
[ -d "$base" ] || { echo "ssh: no host $1" >&2; exit 255; }
shift
export CTDB_BASE="$base"
exec sh -c "$*"
`;

function standIns(directory: TemporaryDirectory): string {
  for (const [name, text] of [
    ["ssh", SSH],
    ["rsync", '#!/bin/sh\necho "rsync $*"\n'],
  ] as const) {
    writeFileSync(directory.file(name), text);
    chmodSync(directory.file(name), 0o755);
  }
  return directory.path;
}

const sorted = (text: string) => text.split("\n").sort();

test.skipIf(!existsSync(STOCK))(
  "onnode does what Debian's does",
  async () => {
    await withCluster({ nodes: 3 }, async (cluster: TestCluster) => {
      using directory = new TemporaryDirectory("onnode");
      const path = `${standIns(directory)}:${DIST}:${process.env["PATH"]}`;
      const run = (program: string, args: readonly string[]): Promise<CommandResult> =>
        cluster.run(0, [program, ...args], { env: { PATH: path }, input: "input\n" });
      expect((await cluster.ctdb(0, "-n", "2", "disable")).code).toBe(0);
      for (const args of CASES) {
        const [mine, stock] = await Promise.all([run(OURS, args), run(STOCK, args)]);
        // At the same time means in any order.
        const shown = ({ code, stdout, stderr }: CommandResult) =>
          /^-p/.test(args[0] ?? "")
            ? { code, stdout: sorted(stdout), stderr: sorted(stderr) }
            : { code, stdout, stderr };
        expect({ args, ...shown(mine) }).toEqual({ args, ...shown(stock) });
      }
      for (const args of REFUSED) {
        const [mine, stock] = await Promise.all([run(OURS, args), run(STOCK, args)]);
        const invalid = ({ stderr }: CommandResult) => stderr.includes("Invalid <nodespec>");
        expect([args, mine.code, mine.stdout, invalid(mine)]).toEqual([
          args,
          stock.code,
          stock.stdout,
          invalid(stock),
        ]);
        expect(mine.stderr).toContain("Usage: onnode");
      }
    });
  },
  120_000,
);
