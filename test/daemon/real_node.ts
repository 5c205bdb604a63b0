/**
 * One real ctdbd in a temporary directory, alone in its cluster unless the nodes file says otherwise. However a test
 * ends, no process of its directory stays: every step has a limit, and all of them together less than the test.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseAddresses } from "../../src/local/addresses.ts";
import { runCommand } from "../support/command.ts";
import { killAll } from "../support/end_processes.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";
import { until, when, within } from "../support/until.ts";

/** Of a test, only so that nothing hangs for ever: the executables may have to be compiled first. */
export const REAL_TEST_MS = 300_000;
/** Of one step of a test. */
export const STEP_MS = 30_000;
/** Of all steps of a test, so that there is time to clean up. */
const ACTION_MS = 120_000;
const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 30_000;
const LOG_LINES = 30;

/** Its files; the result is the address of the one node. */
export async function nodeDirectory(base: string): Promise<string> {
  const [address = ""] = must(await chooseAddresses(base, 1));
  for (const name of ["run", "var", "volatile", "persistent", "state"]) {
    mkdirSync(join(base, name), { recursive: true });
  }
  writeFileSync(join(base, "nodes"), `${address}\n`);
  writeConfiguration(base, address);
  return address;
}

export function writeConfiguration(
  base: string,
  address: string,
  { volatileDirectory = "volatile", location = `file:${base}/log.ctdb` } = {},
): void {
  writeFileSync(
    join(base, "ctdb.conf"),
    `[logging]
location = ${location}
[cluster]
node address = ${address}
[database]
volatile database directory = ${base}/${volatileDirectory}
persistent database directory = ${base}/persistent
state database directory = ${base}/state
`,
  );
}

/** The command `ctdbd`, which ends when the daemon serves. */
export async function startDaemon(base: string, ...args: readonly string[]) {
  return await startLimited(base, ":", ...args);
}

/** `limits`: what the shell sets before, "ulimit -n 64". */
export async function startLimited(base: string, limits: string, ...args: readonly string[]) {
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: base, PATH: "/usr/bin:/bin" };
  const command = join(await compiledExecutables(), "ctdbd");
  const argv = ["/bin/sh", "-c", `${limits}; exec "$0" "$@"`, command, ...args];
  return await runCommand(argv, { env, timeoutMs: START_TIMEOUT_MS });
}

export class RealNode {
  readonly base: string;
  readonly address: string;
  readonly pid: number;

  constructor(base: string, address: string) {
    this.base = base;
    this.address = address;
    this.pid = Number(readFileSync(join(base, "run/ctdbd.pid"), "utf8"));
  }

  get socket(): string {
    return join(this.base, "run/ctdbd.socket");
  }

  children(): number[] {
    const text = readdirSync(`/proc/${this.pid}/task`)
      .map((task) => readFileSync(`/proc/${this.pid}/task/${task}/children`, "utf8"))
      .join(" ");
    return text.split(/\s+/).flatMap((word) => (word === "" ? [] : [Number(word)]));
  }

  /** In order, if it still runs. */
  async end(): Promise<void> {
    try {
      process.kill(this.pid, "SIGTERM");
    } catch {
      // It has ended already.
    }
    // Its files are the last that go.
    const pidFile = join(this.base, "run/ctdbd.pid");
    await until("the daemon has ended", END_TIMEOUT_MS, () => when(!existsSync(pidFile)));
  }
}

export interface RealNodeOptions {
  readonly location?: string;
  readonly limits?: string;
  /** With an event script, so that there is an event daemon. */
  readonly runsEvents?: boolean;
  /** Addresses of further nodes, which the test plays. */
  readonly others?: (own: string) => readonly string[];
}

/** A directory for nodes. What runs there at the end is ended, and has to end by itself when all went well. */
export async function withNodeDirectory(action: (base: string) => Promise<void>): Promise<void> {
  await compiledExecutables();
  await withTemporaryDirectory(async (base) => {
    try {
      await within("the test is over", ACTION_MS, action(base));
      await until("no process is left", END_TIMEOUT_MS, () => when(processesOf(base).length === 0));
    } catch (error) {
      throw new Error(`with ${processesOf(base).length} processes, after\n${lastLines(base)}`, {
        cause: error,
      });
    } finally {
      killAll(processesOf(base));
      await until("what was left is gone", END_TIMEOUT_MS, () =>
        when(processesOf(base).length === 0),
      );
    }
  });
}

/** Whoever was started with this CTDB_BASE: ctdbd gives its environment to what it starts. */
function processesOf(base: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1")
        .split("\0")
        .includes(`CTDB_BASE=${base}`);
    } catch {
      // It has ended, or is somebody else's.
      return false;
    }
  });
}

function lastLines(base: string): string {
  const log = join(base, "log.ctdb");
  if (!existsSync(log)) return "no line of log";
  return readFileSync(log, "utf8").trimEnd().split("\n").slice(-LOG_LINES).join("\n");
}

/** Starts it, and ends it whatever happens. */
export async function withRealNode(
  options: RealNodeOptions,
  action: (node: RealNode) => Promise<void>,
): Promise<void> {
  await withNodeDirectory(async (base) => {
    const address = await nodeDirectory(base);
    if (options.location !== undefined) {
      writeConfiguration(base, address, { location: options.location });
    }
    const nodes = [address, ...(options.others?.(address) ?? [])];
    writeFileSync(join(base, "nodes"), `${nodes.join("\n")}\n`);
    if (options.runsEvents === true) {
      mkdirSync(join(base, "events/legacy"), { recursive: true });
      const script = join(base, "events/legacy/00.test.script");
      writeFileSync(script, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    }
    const started = await startLimited(base, options.limits ?? ":");
    if (started.code !== 0) throw new Error(`ctdbd does not start: ${started.stderr}`);
    const node = new RealNode(base, address);
    await action(node);
    await node.end();
  });
}
