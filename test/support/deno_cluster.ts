/**
 * A cluster one of whose nodes runs under Deno: ctdbd from the sources, and by itself everything that it starts of
 * ours, since its helper directory is empty. The others are as in every TestCluster.
 *
 * The programs of such a node are all "deno" in /proc, so src/local does not know them. They are found here by
 * their CTDB_BASE and told apart by the role among their arguments; nothing else is ever signalled.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { askHealth, notReady } from "../../src/local/node_health.ts";
import { connect } from "./client.ts";
import { type CommandResult, runCommand } from "./command.ts";
import { type ClusterOptions, TestCluster, withCluster } from "./local_cluster.ts";
import { PROJECT } from "./source_tree.ts";
import { until, when } from "./until.ts";

const DENO = join(PROJECT, "node_modules/.bin/deno");
const MAIN = join(PROJECT, "src/main.ts");
const READY_TIMEOUT_MS = 90_000;
const END_TIMEOUT_MS = 30_000;

/** What Deno itself needs in its environment: nothing outside of the project, nothing from the network. */
const DENO_ENVIRONMENT = {
  DENO_DIR: join(PROJECT, "node_modules/.cache/deno"),
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
};

export function denoCommand(role: string, ...args: readonly string[]): readonly string[] {
  return [DENO, "run", "--quiet", "--allow-all", MAIN, role, ...args];
}

export function denoEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const all = { ...environment, ...DENO_ENVIRONMENT };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
}

/** A role under Deno, without a node. */
export function runUnderDeno(role: string, ...args: readonly string[]): Promise<CommandResult> {
  return runCommand(denoCommand(role, ...args), { env: denoEnvironment() });
}

export class DenoCluster extends TestCluster {
  readonly denoNode: number;
  #foreground: ChildProcess | undefined;

  constructor(cluster: TestCluster, denoNode: number) {
    super(cluster.local);
    this.denoNode = denoNode;
  }

  override environment(pnn: number): Record<string, string> {
    const environment = super.environment(pnn);
    if (pnn !== this.denoNode) return environment;
    const helpers = join(this.base(pnn), "no-helpers");
    return denoEnvironment({ ...environment, CTDB_TEST_HELPER_BINDIR: helpers });
  }

  /** The tool under Deno on any node. */
  denoCtdb(pnn: number, ...args: readonly string[]): Promise<CommandResult> {
    const env = denoEnvironment(this.environment(pnn));
    return runCommand(denoCommand("ctdb", ...args), { env });
  }

  /** Processes of the Deno node that run this role. */
  pidsOf(role: string): readonly number[] {
    return this.#processes().flatMap((process) => (process.role === role ? [process.pid] : []));
  }

  /** Its ctdbd, as the pid file names it. */
  denoPid(): number | undefined {
    const pid = Number(readText(this.local.directory.pidFile(this.denoNode)).trim());
    return this.pidsOf("ctdbd").includes(pid) ? pid : undefined;
  }

  override async start(...pnns: readonly number[]): Promise<void> {
    const wanted = pnns.length === 0 ? this.pnns : pnns;
    const others = wanted.filter((pnn) => pnn !== this.denoNode);
    await Promise.all([
      others.length === 0 ? undefined : super.start(...others),
      others.length === wanted.length ? undefined : this.#startInBackground(),
    ]);
    await this.waitReady(...wanted);
  }

  async #startInBackground(): Promise<void> {
    this.#makeDirectories();
    const env = this.environment(this.denoNode);
    const { code, stdout, stderr } = await runCommand(denoCommand("ctdbd"), { env });
    if (code === 0) return;
    throw new Error(`ctdbd under Deno ended with exit status ${code}: ${stdout}${stderr}`);
  }

  /** With `-i`; what it logs goes to the node's log too. The result is its exit status. */
  startInForeground(): { readonly exitStatus: Promise<number | string> } {
    this.#makeDirectories();
    const [program = "", ...args] = denoCommand("ctdbd", "-i");
    const log = openSync(this.local.directory.log(this.denoNode), "a");
    const env = this.environment(this.denoNode);
    const child = spawn(program, args, { env, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#foreground = child;
    const exitStatus = new Promise<number | string>((resolve) => {
      child.on("exit", (code, signal) => resolve(code ?? signal ?? "nothing"));
    });
    return { exitStatus };
  }

  #makeDirectories(): void {
    for (const name of ["run", "no-helpers"]) {
      mkdirSync(join(this.base(this.denoNode), name), { recursive: true });
    }
  }

  override async waitReady(...pnns: readonly number[]): Promise<void> {
    const wanted = pnns.length === 0 ? this.pnns : pnns;
    let reasons: readonly string[] = [];
    await until(
      `nodes ${wanted} are healthy in each other's eyes`,
      READY_TIMEOUT_MS,
      async () => {
        const asked = await Promise.all(
          wanted.map(async (pnn) => {
            const reason = notReady(await askHealth(connect, this.socket(pnn)), pnn, wanted);
            return reason === undefined ? [] : [`node ${pnn}: ${reason}`];
          }),
        );
        reasons = asked.flat();
        return when(reasons.length === 0);
      },
      () => reasons.join("; "),
    );
  }

  /** SIGKILL to ctdbd alone. */
  override async kill(pnn: number): Promise<void> {
    if (pnn !== this.denoNode) return await super.kill(pnn);
    const pid = this.denoPid();
    if (pid === undefined) throw new Error("the ctdbd under Deno does not run");
    this.signal(pid, "SIGKILL");
    await this.#gone(() => this.pidsOf("ctdbd"));
  }

  /** Waits until no process of the Deno node is left; nobody ends them here. */
  async allGone(): Promise<void> {
    await this.#gone(() => this.#processes().map(({ pid }) => pid));
  }

  signal(pid: number, signal: "SIGTERM" | "SIGHUP" | "SIGKILL"): void {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself meanwhile.
    }
  }

  override async stop(...pnns: readonly number[]): Promise<void> {
    const wanted = pnns.length === 0 ? this.pnns : pnns;
    const others = wanted.filter((pnn) => pnn !== this.denoNode);
    await Promise.all([
      others.length === 0 ? undefined : super.stop(...others),
      others.length === wanted.length ? undefined : this.#stopDeno(),
    ]);
  }

  async #stopDeno(): Promise<void> {
    for (const pid of this.pidsOf("ctdbd")) this.signal(pid, "SIGTERM");
    try {
      await this.allGone();
    } finally {
      for (const { pid } of this.#processes()) this.signal(pid, "SIGKILL");
      this.#foreground?.kill("SIGKILL");
    }
  }

  async #gone(pids: () => readonly number[]): Promise<void> {
    await until(
      "processes of the Deno node have ended",
      END_TIMEOUT_MS,
      () => when(pids().length === 0),
      () => `there are ${pids()}`,
    );
  }

  #processes(): readonly { readonly pid: number; readonly role: string }[] {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && this.#isOfNode(pid))
      .map((pid) => {
        const words = readText(`/proc/${pid}/cmdline`).split("\0");
        return {
          pid,
          role: words[words.findIndex((word) => word.endsWith("src/main.ts")) + 1] ?? "",
        };
      });
  }

  #isOfNode(pid: number): boolean {
    try {
      if (basename(readlinkSync(`/proc/${pid}/exe`)) !== "deno") return false;
    } catch {
      // Not there, a zombie, or another user's.
      return false;
    }
    const environment = readText(`/proc/${pid}/environ`).split("\0");
    return environment.includes(`CTDB_BASE=${this.base(this.denoNode)}`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Nothing is started yet; everything that runs at the end is ended. */
export function withDenoCluster<T>(
  denoNode: number,
  options: Omit<ClusterOptions, "startNothing">,
  action: (cluster: DenoCluster) => Promise<T>,
): Promise<T> {
  return withCluster({ ...options, startNothing: true }, async (inner) => {
    const cluster = new DenoCluster(inner, denoNode);
    try {
      return await action(cluster);
    } finally {
      await cluster.end();
    }
  });
}
