/** Command lines as popt reads them; the expectations were recorded from Debian's ctdb 4.17. */
import { expect, test } from "bun:test";
import {
  parseLeadingInteger,
  parseOptionInteger,
  parseUnsigned32,
  parseUnsigned64,
} from "../../src/cli/numbers.ts";
import { parseCommandLine } from "../../src/cli/options.ts";
import { fullUsage, helpText, shortUsage } from "../../src/cli/usage.ts";

function parsed(...args: string[]) {
  const line = parseCommandLine(args);
  if (!line.ok) return line.error;
  return line.value.kind === "run" ? line.value : line.value.kind;
}

test("parseCommandLine() has the original's defaults", () => {
  expect(parsed("status")).toEqual({
    kind: "run",
    given: new Set(),
    words: ["status"],
    options: {
      debug: undefined,
      timelimit: 10,
      node: -1,
      everyNode: false,
      machine: false,
      json: false,
      separator: "|",
      verbose: false,
      maxruntime: 0,
      simulate: undefined,
      write: false,
      timeout: undefined,
      all: false,
      yes: false,
      dryRun: false,
      directory: undefined,
      keep: undefined,
      keepDays: undefined,
      iterations: 0,
      at: undefined,
      since: undefined,
      until: undefined,
      kind: undefined,
      limit: undefined,
      follow: false,
    },
  });
});

test("parseCommandLine() takes a node in every spelling and place", () => {
  const spellings = [
    ["-n", "1", "ping"],
    ["-n1", "ping"],
    ["-n=1", "ping"],
    ["-n0x1", "ping"],
    ["-n", "+1", "ping"],
    ["--node", "1", "ping"],
    ["--node=1", "ping"],
    ["ping", "-n", "1"],
    ["-Xn1", "ping"],
    ["-n", "0", "-n", "1", "ping"],
  ];
  for (const args of spellings) {
    expect(parsed(...args)).toMatchObject({ words: ["ping"], options: { node: 1 } });
  }
  expect(parsed("-n", "-2", "ping")).toMatchObject({ options: { node: -2 } });
  expect(parsed("-n", "010", "ping")).toMatchObject({ options: { node: 8 } });
  expect(parsed("--node=", "ping")).toMatchObject({ options: { node: 0 } });
  expect(parsed("-n", "all", "ping")).toMatchObject({ options: { node: -1, everyNode: true } });
  expect(parsed("-nall", "ping")).toMatchObject({ options: { everyNode: true } });
});

test("parseCommandLine() takes options run together and the separator", () => {
  expect(parsed("-XvY", "leader")).toMatchObject({ options: { machine: true, verbose: true } });
  expect(parsed("-Yx:", "leader")).toMatchObject({ options: { machine: true, separator: ":" } });
  expect(parsed("-x", ":", "leader")).toMatchObject({ options: { machine: false } });
  expect(parsed("-x=", "leader")).toMatchObject({ options: { separator: "" } });
});

test("parseCommandLine() takes options that are given twice: flags are set, of values the last one counts", () => {
  expect(parsed("-X", "-X", "-vv", "--verbose", "--json", "-j", "leader")).toMatchObject({
    words: ["leader"],
    options: { machine: true, verbose: true, json: true },
  });
  expect(
    parsed("-t", "1", "--timelimit=2", "-x:", "-x", ";", "--node=3", "-n2", "leader"),
  ).toMatchObject({
    options: { timelimit: 2, separator: ";", node: 2 },
  });
});

test("parseCommandLine() ends the options at --", () => {
  expect(parsed("ping", "--", "-n")).toMatchObject({ words: ["ping", "-n"] });
  expect(parsed("-", "ping")).toMatchObject({ words: ["-", "ping"] });
});

test("parseCommandLine() names the wrong option as it was written", () => {
  expect(parsed("-Z")).toBe("Invalid option -Z: unknown option");
  expect(parsed("-XZ", "ping")).toBe("Invalid option -XZ: unknown option");
  expect(parsed("--foo")).toBe("Invalid option --foo: unknown option");
  expect(parsed("--nod=1")).toBe("Invalid option --nod=1: unknown option\nDid you mean '--node'?");
  expect(parsed("--X")).toBe("Invalid option --X: unknown option");
  expect(parsed("-n")).toBe("Invalid option -n: missing argument");
  expect(parsed("--debug")).toBe("Invalid option --debug: missing argument");
  expect(parsed("-n", "abc")).toBe("Invalid option abc: invalid numeric value");
  expect(parsed("--node=abc")).toBe("Invalid option --node=abc: invalid numeric value");
  expect(parsed("-n", "1.5")).toBe("Invalid option 1.5: invalid numeric value");
  expect(parsed("-n", "99999999999")).toBe(
    "Invalid option 99999999999: number too large or too small",
  );
  expect(parsed("--verbose=1")).toBe(
    "Invalid option --verbose=1: option does not take an argument",
  );
  expect(parsed("-X=1")).toBe("Invalid option -X=1: option does not take an argument");
});

test("parseCommandLine() takes no negative time; the original takes it for a huge one", () => {
  expect(parsed("-t", "-5", "ping")).toBe("Invalid option -5: expected seconds, 0 or more");
  expect(parsed("-t-5", "ping")).toBe("Invalid option -t-5: expected seconds, 0 or more");
  expect(parsed("--maxruntime=-1", "ping")).toBe(
    "Invalid option --maxruntime=-1: expected seconds, 0 or more",
  );
  expect(parsed("-t", "3000000", "-T", "3000000", "ping")).toMatchObject({
    options: { timelimit: 3_000_000, maxruntime: 3_000_000 },
  });
});

test("parseCommandLine() stops at the first request for help", () => {
  expect(parsed("-?", "-Z")).toBe("help");
  expect(parsed("--help", "status")).toBe("help");
  expect(parsed("status", "--usage")).toBe("usage");
  expect(parseCommandLine(["-n", "1", "ban", "--help", "9"])).toEqual({
    ok: true,
    value: { kind: "help", words: ["ban"] },
  });
  expect(parsed("-Z", "-?")).toBe("Invalid option -Z: unknown option");
});

test("numbers are read as strtoul, atoi and popt do", () => {
  expect(parseUnsigned32("0x10")).toEqual({ ok: true, value: 16 });
  expect(parseUnsigned32("12abc")).toEqual({ ok: true, value: 12 });
  expect(parseUnsigned32("4294967297")).toEqual({ ok: true, value: 1 });
  expect(parseUnsigned32("")).toEqual({ ok: false, error: 22 });
  expect(parseUnsigned32("-1")).toEqual({ ok: false, error: 22 });
  expect(parseUnsigned64("0xffffffffffffffff")).toEqual({
    ok: true,
    value: { hi: 0xffffffff, lo: 0xffffffff },
  });
  expect(parseUnsigned64("18446744073709551616")).toEqual({ ok: false, error: 34 });
  expect(parseUnsigned64("09")).toEqual({ ok: true, value: { hi: 0, lo: 0 } });
  expect(parseLeadingInteger("-7x")).toBe(-7);
  expect(parseLeadingInteger("x")).toBe(0);
  expect(parseOptionInteger("-2147483648")).toEqual({ ok: true, value: -2147483648 });
  expect(parseOptionInteger("2147483648").ok).toBe(false);
});

test("shortUsage() breaks its lines where popt does", () => {
  expect(shortUsage()).toBe(
    "Usage: [-?YjXv] [-?|--help] [--usage] [-d|--debug=STRING]\n" +
      "        [-t|--timelimit=INT] [-n|--node=INT] [-Y] [-j|--json]\n" +
      "        [-x|--separator=CHAR] [-X] [-v|--verbose] [-T|--maxruntime=INT]\n" +
      "        [--simulate=INT] [--write] [--all] [--yes] [--timeout=INT] [--once]\n" +
      "        [--iterations=INT] [--directory=PATH] [--keep=INT]\n" +
      "        [--keep-days=INT] [--dry-run] [--at=TIME] [--since=TIME]\n" +
      "        [--until=TIME] [--kind=KIND] [--limit=INT] [--follow]\n",
  );
});

test("helpText() lists the options in popt's columns", () => {
  expect(helpText()).toBe(`Usage: [OPTION...]
  -d, --debug=STRING       debug level
  -t, --timelimit=INT      timelimit (in seconds)
  -n, --node=INT           node specification - integer
  -Y                       enable machine readable output
  -j, --json               JSON output
  -x, --separator=CHAR     specify separator for machine readable output
  -X                       enable machine parsable output with separator |
  -v, --verbose            enable verbose output
  -T, --maxruntime=INT     die if runtime exceeds this limit (in seconds)
      --simulate=INT       with ip: where addresses would go if this node left
      --write              with addip, delip: change the file of public addresses, too
      --all                with getvar, setvar, listvars: on every connected node
      --yes                do not ask on a terminal before something is taken away
      --timeout=INT        with wait: seconds until it is given up (60), 0 for never
      --once               with top: show once and end
      --iterations=INT     with top: show so often and end
      --directory=PATH     with snapshot: where snapshots are
      --keep=INT           with snapshot prune: so many of the newest stay
      --keep-days=INT      with snapshot prune: those of so many days stay
      --dry-run            with db, snapshot, node: show what would change, and change nothing
      --at=TIME            with why, state: as it was then
      --since=TIME         with journal: events from then on
      --until=TIME         with journal: events up to then
      --kind=KIND          with journal: events of this kind, or of several with commas between them
      --limit=INT          with journal: so many events, the newest
      --follow             with journal: go on with what comes

Help options:
  -?, --help               Show this help message
      --usage              Display brief usage message
`);
});

test("fullUsage() has a line for every command", () => {
  const lines = fullUsage().split("\n");
  expect(lines).toContain("  getvar          <name>                       get a tunable variable");
  expect(lines).toContain(
    "  runstate        [setup|first_recovery|startup|running]  get/check runstate of a node",
  );
});
