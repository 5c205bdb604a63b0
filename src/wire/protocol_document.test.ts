import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STRUCTS } from "../../test/fuzz/generators.ts";
import { SRVID } from "./constants.ts";
import { CONTROL_NAMES, CONTROLS } from "./controls.ts";
import { OPERATIONS } from "./packet.ts";
import { LAYOUTS } from "./packets.ts";

const text = readFileSync(join(import.meta.dir, "../../docs/protocol.md"), "utf8");

function missing(expected: readonly string[]): string[] {
  return expected.filter((line) => !text.includes(line));
}

test("docs/protocol.md names every control with its number", () => {
  const rows = CONTROL_NAMES.map((name) => `| ${CONTROLS[name].opcode} | \`${name}\` |`);
  expect(missing(rows)).toEqual([]);
  const section = text.slice(text.indexOf("## Controls"), text.indexOf("## Structs"));
  expect(section.match(/^\| \d+ \|/gm)?.length).toBe(CONTROL_NAMES.length);
});

test("docs/protocol.md says which controls 4.17 does not know", () => {
  const newer = (row: string) => row.includes("newer than 4.17, which answers −1");
  const rows = text.split("\n").filter((line) => /^\| \d+ \| `[A-Z_0-9]+` \|/.test(line));
  const wrong = CONTROL_NAMES.filter((name) => {
    const row = rows.find((line) => line.startsWith(`| ${CONTROLS[name].opcode} | \`${name}\` |`));
    return newer(row ?? "") !== CONTROLS[name].since > ((4 << 16) | 17);
  });
  expect(wrong).toEqual([]);
});

test("docs/protocol.md names every operation with its number and where its bytes begin", () => {
  const rows = Object.entries(OPERATIONS).map(([name, number]) => `| ${number} | \`${name}\` |`);
  expect(missing(rows)).toEqual([]);
  for (const layout of Object.values(LAYOUTS)) {
    if (layout.length0 === 0) continue;
    const row = text
      .split("\n")
      .find((line) => line.startsWith(`| ${layout.operation} | \`${layout.name}\``));
    expect(row).toContain(`from ${layout.fixedBytes} |`);
  }
});

test("docs/protocol.md names every srvid", () => {
  const rows = Object.entries(SRVID)
    .filter(([name]) => name !== "ALL")
    .map(([name, { hi }]) => `| 0x${(hi >>> 16).toString(16).toUpperCase()} | \`${name}\` |`);
  expect(missing(rows)).toEqual([]);
});

/** Codecs that are parts of others, or described in words. */
const NO_ROW = new Set([
  "db_id",
  "latency_counter",
  "statistics",
  "statistics_history",
  "db_statistics",
  "g_lock_list",
  "remaining_bytes",
]);

test("docs/protocol.md has a row for every struct", () => {
  const names = STRUCTS.map(([name]) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  expect(missing(names.filter((name) => !NO_ROW.has(name)).map((name) => `| ${name} |`))).toEqual(
    [],
  );
  expect(missing([...NO_ROW].filter((name) => name.includes("statistics")))).toEqual([]);
});

test("docs/protocol.md has the sections that the code cites", () => {
  const sections = [
    "Header",
    "Framing",
    "Generation",
    "Operations",
    "Node links",
    "Keepalive",
    "Controls",
  ];
  sections.push("Structs", "Statistics", "Srvids", "Flags", "Hashes and ids", "Debug levels");
  sections.push("Event protocol", "Mutex helpers");
  expect(missing(sections.map((name) => `\n## ${name}\n`))).toEqual([]);
});
