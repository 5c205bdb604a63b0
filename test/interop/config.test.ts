/**
 * Our reading of ctdb.conf against Debian's ctdb-config: files that it refuses we refuse, files that it
 * accepts give the same values. Where we are stricter on purpose, the row says so.
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { isRefused } from "../../src/config/check.ts";
import { loadCtdbConfig } from "../../src/config/ctdb_conf.ts";
import { resolvePaths } from "../../src/config/paths.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { must } from "../support/must.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";

const STOCK = "/usr/libexec/ctdb/ctdb-config";
const interop = test.skipIf(!existsSync(STOCK));

type Verdict = "accepted" | "refused";
/** [text, ours when it differs on purpose] */
const CASES: readonly (readonly [text: string, ours?: Verdict])[] = [
  [""],
  ["[cluster]\nleader timeout = 7\n"],
  ["[cluster]\nleader timeout = 0x10\n"],
  ["[cluster]\nleader timeout = 010\n"],
  ["[cluster]\nleader timeout = 0X10\n"],
  ["[cluster]\nleader timeout = +5\n"],
  ["[cluster]\nleader timeout = 08\n"],
  ["[cluster]\nleader timeout = 2147483648\n"],
  ["[cluster]\nleader timeout = 0\n"],
  ["[cluster]\nleader timeout = -4\n"],
  ["[cluster]\nleader timeout = \n"],
  // Stock reads the 5 and drops the rest.
  ["[cluster]\nleader timeout = 5x\n", "refused"],
  // Stock ignores the line.
  ["[cluster]\nleader timeout\n", "refused"],
  // Stock stops reading the file here, silently.
  ["[cluster\nleader timeout = 5\n", "refused"],
  ["a = b\n"],
  ["[cluster]\ncluster   lock = /a  b\n"],
  ["[cluster]\ncluster lock = /a # not a comment\n"],
  ["[cluster]\ncluster lock = /a\ncluster lock = /b\n"],
  ["[cluster]\nrecovery lock = /a \\\n /b\n"],
  ["[CLUSTER]\nnode address = 10.0.0.1\n"],
  // Stock takes the brackets in the nodes file only; here an address has the same forms everywhere.
  ["[cluster]\nnode address = [::1]\n", "accepted"],
  ["[cluster]\nnode address = ::ffff:127.0.0.1\n"],
  ["[cluster]\nnode address = 127.092.181.001\n"],
  ["[cluster]\nnode address = 10.0.0.300\n"],
  ["[cluster]\ntransport = ib\n", "refused"],
  ["[logging]\nlocation = syslog\n"],
  ["[logging]\nlocation = syslog:\n"],
  ["[logging]\nlocation = syslog:udp\n"],
  ["[logging]\nlocation = syslog:foo\n"],
  ["[logging]\nlocation = file:\n"],
  ["[logging]\nlocation = file\n"],
  ["[logging]\nlocation = /x\n"],
  ["[logging]\nlog level = notice\n"],
  ["[logging]\nlog level = 11\n"],
  ["[logging]\nlog level = LOUD\n"],
  ["[legacy]\nstart as stopped = TRUE\nstart as disabled = yes\n"],
  ["[legacy]\nstart as stopped = 1\n"],
  ["[database]\nvolatile database directory = /nonexistent\n"],
  ["[database]\ntdb mutexes = no\n"],
];

async function stockVerdict(
  base: string,
  text: string,
): Promise<{ verdict: Verdict; dump: string }> {
  writeFileSync(`${base}/ctdb.conf`, text);
  const environment = { ...process.env, CTDB_TEST_MODE: "yes", CTDB_BASE: base };
  const run = async (command: string) => {
    const child = Bun.spawn([STOCK, command], {
      env: environment,
      stdout: "pipe",
      stderr: "ignore",
    });
    const output = await new Response(child.stdout).text();
    return { output, code: await child.exited };
  };
  const validated = await run("validate");
  const dumped = await run("dump");
  return { verdict: validated.code === 0 ? "accepted" : "refused", dump: dumped.output };
}

function ours(base: string, text: string) {
  const paths = must(resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: base }, "/opt"));
  const files = new MemoryFiles({ [`${base}/ctdb.conf`]: text }, [base, "/"]);
  return loadCtdbConfig(files, paths);
}

interop("loadCtdbConfig() judges files as the stock ctdb-config does", async () => {
  await withTemporaryDirectory(async (base) => {
    mkdirSync(`${base}/run`);
    for (const [text, expected] of CASES) {
      const stock = await stockVerdict(base, text);
      const outcome = ours(base, text);
      // As `validate` does, which refuses what a start ignores.
      const refused = !outcome.ok || outcome.value.warnings.some(isRefused);
      const verdict: Verdict = refused ? "refused" : "accepted";
      expect({ text, verdict }).toEqual({ text, verdict: expected ?? stock.verdict });
    }
  });
});

interop("loadCtdbConfig() reads the values that the stock ctdb-config dumps", async () => {
  await withTemporaryDirectory(async (base) => {
    mkdirSync(`${base}/run`);
    const text =
      "[cluster]\nleader timeout = 010\ncluster  lock = /a   b # c\n" +
      "[legacy]\nstart as stopped = YES\n[database]\ntdb mutexes = No\n";
    const stock = await stockVerdict(base, text);
    const outcome = ours(base, text);
    if (!outcome.ok) throw new Error("refused");
    const { cluster, legacy, database } = outcome.value.config;
    expect(stock.dump).toContain(`\tleader timeout = ${cluster.leaderTimeoutSec}\n`);
    expect(stock.dump).toContain(`\tcluster lock = ${cluster.clusterLock}\n`);
    expect(stock.dump).toContain(`\tstart as stopped = ${legacy.startAsStopped}\n`);
    expect(stock.dump).toContain(`\ttdb mutexes = ${database.tdbMutexes}\n`);
  });
});
