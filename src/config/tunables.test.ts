import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { TUNABLE_COUNT } from "../wire/structs/tunables.ts";
import { problemText } from "./problems.ts";
import { LISTED_TUNABLES, listedTunablesText, TUNABLES, TunableSet } from "./tunables.ts";
import { loadTunables } from "./tunables_file.ts";

test("TUNABLES has as many rows as the wire struct has words", () => {
  expect(TUNABLES.length).toBe(TUNABLE_COUNT);
  expect(new Set(TUNABLES.map((tunable) => tunable.name.toLowerCase())).size).toBe(TUNABLE_COUNT);
});

test("TunableSet.get() finds names whatever their case", () => {
  const tunables = new TunableSet();
  expect(tunables.get("recoverTIMEOUT")).toBe(30);
  expect(tunables.get("NoSuch")).toBeUndefined();
});

test("TunableSet.set() tells obsolete and unknown names apart", () => {
  const tunables = new TunableSet();
  expect(tunables.set("monitorinterval", 7)).toBe("set");
  expect(tunables.get("MonitorInterval")).toBe(7);
  expect(tunables.set("VacuumLimit", 1)).toBe("obsolete");
  expect(tunables.get("VacuumLimit")).toBe(1);
  expect(tunables.set("NoSuch", 1)).toBe("unknown");
});

test("TunableSet.inWireOrder() is read back by assignWireOrder()", () => {
  const tunables = new TunableSet();
  tunables.set("AllowMixedVersions", 1);
  tunables.set("MaxRedirectCount", 9);
  const values = tunables.inWireOrder();
  expect([values[0], values.at(-1)]).toEqual([9, 1]);
  const other = new TunableSet();
  other.assignWireOrder(values);
  expect(other.inWireOrder()).toEqual(values);
});

test("listedTunablesText() leaves out obsolete names and keeps the listing's own order", () => {
  expect(LISTED_TUNABLES.length).toBe(49);
  expect(listedTunablesText()).toStartWith(":SeqnumInterval:ControlTimeout:");
  expect(listedTunablesText()).toContain(":RepackLimit:VacuumFastPathCount:MaxQueueDropMsg:");
});

test("loadTunables() reads the file and the directory and reports every problem", () => {
  const files = new MemoryFiles({
    "/etc/ctdb/ctdb.tunables": "MonitorInterval = 5\nnosuch=1\nVacuumLimit=3\n",
    "/etc/ctdb/tunables.d/20.tunables": "[x]\nRecoverTimeout=-1\nLogLatencyMs=0x20\nx\n",
    "/etc/ctdb/tunables.d/10.tunables": "LogLatencyMs=010\nmonitorinterval=6",
    "/etc/ctdb/tunables.d/README": "not read",
  });
  const tunables = new TunableSet();
  const problems = loadTunables(files, { etcDirectory: "/etc/ctdb" }, tunables);
  expect(problems.map(problemText)).toEqual([
    '"/etc/ctdb/ctdb.tunables": line 2: expected the name of a tunable, got "nosuch"',
    '"/etc/ctdb/ctdb.tunables": line 3: VacuumLimit: expected no obsolete tunable: remove this line',
    '"/etc/ctdb/tunables.d/20.tunables": line 1: expected "name = value", got the section "x"',
    '"/etc/ctdb/tunables.d/20.tunables": line 2: RecoverTimeout: expected a whole number from 0 to 4294967295, got "-1"',
    '"/etc/ctdb/tunables.d/20.tunables": line 4: expected "name = value", got "x"',
  ]);
  expect(tunables.get("MonitorInterval")).toBe(6);
  expect(tunables.get("LogLatencyMs")).toBe(32);
});

test("loadTunables() is content without any file", () => {
  expect(loadTunables(new MemoryFiles(), { etcDirectory: "/e" }, new TunableSet())).toEqual([]);
});

test("loadTunables() takes numbers of 32 bits, in the forms of C, and no others", () => {
  const load = (value: string) => {
    const tunables = new TunableSet();
    const files = new MemoryFiles({ "/etc/ctdb.tunables": `MonitorInterval=${value}\n` });
    const problems = loadTunables(files, { etcDirectory: "/etc" }, tunables);
    return problems.length === 0 ? tunables.get("MonitorInterval") : "refused";
  };
  expect(["0", "10", "010", "0x10", "4294967295"].map(load)).toEqual([0, 10, 8, 16, 0xffffffff]);
  for (const value of ["-1", "1k", "08", "4294967296", "0x100000000"]) {
    expect([value, load(value)]).toEqual([value, "refused"]);
  }
});
