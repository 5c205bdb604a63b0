/** One real ctdbd in a temporary directory, alone in its cluster unless the nodes file says otherwise. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseAddresses } from "../../src/local/addresses.ts";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";

const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 30_000;

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
  /** Addresses of further nodes, which the test plays. */
  readonly others?: (own: string) => readonly string[];
}

/** Starts it, and ends it whatever happens. */
export async function withRealNode(
  options: RealNodeOptions,
  action: (node: RealNode) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (base) => {
    const address = await nodeDirectory(base);
    if (options.location !== undefined) {
      writeConfiguration(base, address, { location: options.location });
    }
    const nodes = [address, ...(options.others?.(address) ?? [])];
    writeFileSync(join(base, "nodes"), `${nodes.join("\n")}\n`);
    const started = await startLimited(base, options.limits ?? ":");
    if (started.code !== 0) throw new Error(`ctdbd does not start: ${started.stderr}`);
    const node = new RealNode(base, address);
    try {
      await action(node);
    } finally {
      await node.end();
    }
  });
}
