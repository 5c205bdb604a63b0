/**
 * Our reading of the nodes file against Debian's tool: what it refuses we refuse, and what it accepts are the same
 * addresses. Where we are stricter on purpose, the row says so.
 */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { parseNodes } from "../../src/config/nodes.ts";
import { runCommand } from "../support/command.ts";
import { STOCK_CTDB, stockInstalled } from "../support/local_cluster.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";

const interop = test.skipIf(!stockInstalled());

/** [text, true: refused on purpose] */
const CASES: readonly (readonly [text: string, stricter?: true])[] = [
  ["127.0.0.1\n127.0.0.2\n"],
  ["\n127.0.0.1\n\n#\n127.0.0.3\n\n"],
  [" \t127.0.0.1 \t\r\n127.0.0.2\r\n"],
  ["127.0.0.1"],
  ["127.092.181.001\n"],
  ["127.1\n"],
  ["0x7f.0.0.1\n"],
  ["10.0.0.300\n"],
  ["127.0.0.1:4379\n"],
  ["127.0.0.1 # me\n"],
  ["127.0.0.1\v\n"],
  ["\u00a0127.0.0.1\n"],
  ["::1\nFD00::0:A\n1::\n::1.2.3.4\n"],
  ["[::1]\n[FD00::1]\n"],
  ["[127.0.0.1]\n"],
  ["[::1]:4379\n"],
  ["[::1\n"],
  ["[]\n"],
  ["::ffff:127.0.0.1\n[::FFFF:127.0.0.2]\n0:0:0:0:0:ffff:127.0.0.3\n"],
  ["::ffff:7f00:1\n"],
  ["::ffff:127.0.0.01\n"],
  ["fe80::1%lo\n"],
  // Two nodes cannot listen at one address.
  ["127.0.0.1\n::ffff:127.0.0.1\n", true],
];

async function stockList(base: string, text: string): Promise<string> {
  writeFileSync(`${base}/nodes`, text);
  const env = { PATH: "/usr/bin:/bin", CTDB_TEST_MODE: "yes", CTDB_BASE: base };
  const listed = await runCommand([STOCK_CTDB, "listnodes"], { env });
  return listed.code === 0 ? listed.stdout : "refused";
}

function ourList(text: string): string {
  const nodes = parseNodes(text, "nodes");
  if (!nodes.ok) return "refused";
  return nodes.value
    .filter((node) => !node.deleted)
    .map((node) => `${node.address}\n`)
    .join("");
}

interop("parseNodes() reads files as the stock tool does", () =>
  withTemporaryDirectory(async (base) => {
    for (const name of ["run", "var"]) mkdirSync(`${base}/${name}`);
    for (const [text, stricter] of CASES) {
      const expected = stricter ? "refused" : await stockList(base, text);
      expect({ text, list: ourList(text) }).toEqual({ text, list: expected });
    }
  }),
);
