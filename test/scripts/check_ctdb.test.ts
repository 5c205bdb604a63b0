/** check_ctdb: its one line and its exit status, of what ctdb prints. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { ScriptBench } from "./script_bench.ts";

const CHECK = join(PROJECT, "scripts/helpers/check_ctdb");

/** Three nodes, of which those of `silent` do not answer. */
function pingBench(...silent: readonly number[]): ScriptBench {
  const bench = new ScriptBench();
  const fails = silent.map((pnn) => `"-n ${pnn} ping") echo "no answer" >&2; exit 1 ;;`).join("\n");
  bench.standIn(
    "ctdb",
    `case "$*" in
${fails}
"-X listnodes") printf '|0|10.0.0.1|\\n|1|10.0.0.2|\\n|2|10.0.0.3|\\n' ;;
"-n "*" ping") echo "response from $2 time=0.000250 sec  (4 clients)" ;;
*) exit 9 ;;
esac`,
  );
  return bench;
}

const line = (text: string, code: number) => ({ code, output: `CHECK_CTDB ${text}\n` });

test("check_ctdb -i ping counts the nodes that answer", async () => {
  using all = pingBench();
  const figures = "ping_time=0.000750s;;;0 clients=12;;;0";
  expect(await all.run(CHECK, "-i", "ping")).toEqual(line(`OK | nodes=3;;;0;3 ${figures}`, 0));
  using two = pingBench(1);
  const fewer = "ping_time=0.000500s;;;0 clients=8;;;0";
  expect(await two.run(CHECK, "--info=ping")).toEqual(
    line(`WARNING - 1 missing nodes | nodes=2;;;0;3 ${fewer}`, 1),
  );
  using none = pingBench(0, 1, 2);
  const nothing = "ping_time=0.000000s;;;0 clients=0;;;0";
  expect(await none.run(CHECK, "-i", "ping", "-w", "0:")).toEqual(
    line(`CRITICAL - 3 missing nodes | nodes=0;0:;;0;3 ${nothing}`, 2),
  );
});

test("check_ctdb takes ranges, of numbers and of percent", async () => {
  using bench = pingBench(1);
  const code = async (...args: readonly string[]) =>
    (await bench.run(CHECK, "-iping", ...args)).code;
  expect(await code("-w", "3:", "-c", "2:")).toBe(1);
  expect(await code("-w", "3:", "-c", "3:")).toBe(2);
  expect(await code("-c", "50%:")).toBe(0);
  expect(await code("-c", "70%:")).toBe(2);
  expect(await code("-w", "1")).toBe(1);
  expect(await code("-w", "~:2")).toBe(0);
  expect(await code("-w", "@1:2")).toBe(1);
  expect(await code("-w", "1:2:3")).toBe(3);
  expect(await code("-w", "many")).toBe(3);
});

test("check_ctdb -i scriptstatus names the scripts that failed", async () => {
  using bench = new ScriptBench();
  bench.standIn(
    "ctdb",
    `echo "00.ctdb              OK         0.011 Sun Nov 29 06:00:00 2026"
echo "05.system            ERROR      0.020 Sun Nov 29 06:00:00 2026"
echo "  OUTPUT:"
echo "    disk | full"
echo "    and more"
echo "10.interface         DISABLED  "
echo "49.winbind           TIMEDOUT   Sun Nov 29 06:00:00 2026"
echo "  OUTPUT: hangs"
echo "50.samba             CANNOT RUN (Permission denied)"`,
  );
  const figures = "ok=1;;;0;5 disabled=1;;;0;5";
  const text =
    "05.system (ERROR): disk / full; 49.winbind (TIMEDOUT): hangs; 50.samba (CANNOT RUN)";
  expect(await bench.run(CHECK, "-i", "scriptstatus")).toEqual(
    line(`CRITICAL - ${text} | ${figures} error=3;;0;0;5 total=5;;;0;5`, 2),
  );
  expect((await bench.run(CHECK, "-i", "scriptstatus", "-w", "2", "-c", "5")).code).toBe(1);
  bench.standIn("ctdb", 'echo "00.ctdb              OK         0.011 Sun Nov 29 2026"');
  expect(await bench.run(CHECK, "-i", "scriptstatus")).toEqual(
    line("OK | ok=1;;;0;1 disabled=0;;;0;1 error=0;;0;0;1 total=1;;;0;1", 0),
  );
  bench.standIn("ctdb", 'echo "the monitor event has not run yet"');
  expect(await bench.run(CHECK, "-i", "scriptstatus")).toEqual(
    line("UNKNOWN - no script has run yet: the monitor event has not run yet", 3),
  );
});

test("check_ctdb without a daemon is critical, without an answer in time or a host unknown", async () => {
  using bench = new ScriptBench();
  bench.standIn("ctdb", 'echo "Failed to connect to CTDB daemon" >&2; exit 1');
  expect(await bench.run(CHECK, "-i", "scriptstatus")).toEqual(
    line("CRITICAL - Failed to connect to CTDB daemon", 2),
  );
  bench.standIn("ctdb", "exec sleep 20");
  expect(await bench.run(CHECK, "-i", "scriptstatus", "-t", "1")).toEqual(
    line("UNKNOWN - no answer in 1 seconds", 3),
  );
  bench.standIn("ssh", 'echo "no route"; exit 255');
  expect(await bench.run(CHECK, "-i", "scriptstatus", "-H", "a", "-l", "me", "-s")).toEqual(
    line("UNKNOWN - cannot reach a: no route", 3),
  );
  expect(bench.calls("ssh")).toEqual(["-l me a sudo ctdb scriptstatus"]);
});
