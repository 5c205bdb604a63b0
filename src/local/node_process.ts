/**
 * The processes of one node of a local cluster: their environment, starting ctdbd, finding and ending
 * them. A pid is trusted only when /proc says that it is a ctdbd of this very node.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { bytesText } from "../base/byte_text.ts";
import { done, err, type Result } from "../base/result.ts";
import {
  type ClusterDescription,
  type ClusterDirectory,
  type LocalNode,
  STOCK_CTDBD,
} from "./cluster_description.ts";

/** A start that says nothing for so long is hanging. */
const START_TIMEOUT_MS = 20_000;
/** The end of what a node that did not start has said. */
const OUTPUT_BYTES_MAX = 2000;

export class NodeProcess {
  readonly node: LocalNode;
  readonly #directory: ClusterDirectory;
  readonly #description: ClusterDescription;

  constructor(directory: ClusterDirectory, description: ClusterDescription, node: LocalNode) {
    this.#directory = directory;
    this.#description = description;
    this.node = node;
  }

  get base(): string {
    return this.#directory.base(this.node.pnn);
  }
  get socket(): string {
    return this.#directory.socket(this.node.pnn);
  }
  get log(): string {
    return this.#directory.log(this.node.pnn);
  }
  get #stockCtdbd(): string {
    return this.node.stockCtdbd ?? this.#description.stockCtdbd;
  }
  get #executable(): string {
    const { executableDirectory } = this.#description;
    return this.node.stock ? this.#stockCtdbd : join(executableDirectory, "ctdbd");
  }

  /** What programs that talk to this node need, on top of `inherited`. */
  environment(inherited: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const { executableDirectory, stockSambaVersion } = this.#description;
    const environment: Record<string, string> = {};
    for (const [name, value] of Object.entries(inherited)) {
      const kept = !name.startsWith("CTDB_") || name === "CTDB_CRASH_POINTS";
      if (value !== undefined && kept) environment[name] = value;
    }
    environment["CTDB_TEST_MODE"] = "yes";
    environment["CTDB_BASE"] = this.base;
    environment["CTDB_SOCKET"] = this.socket;
    environment["PATH"] = `${executableDirectory}:${inherited["PATH"] ?? "/usr/bin:/bin"}`;
    if (!this.node.stock) {
      environment["CTDB_TEST_HELPER_BINDIR"] = executableDirectory;
      if (stockSambaVersion !== undefined) {
        environment["CTDB_TEST_SAMBA_VERSION"] = String(stockSambaVersion);
      }
    } else if (this.#stockCtdbd !== STOCK_CTDBD) {
      environment["CTDB_TEST_HELPER_BINDIR"] = dirname(this.#stockCtdbd);
    }
    return environment;
  }

  /** Runs ctdbd, which goes into the background; success says that it did, not that it serves. */
  start(): Promise<Result<void>> {
    mkdirSync(join(this.base, "run"), { recursive: true });
    return new Promise((resolve) => {
      let output: Uint8Array = new Uint8Array(0);
      const child = spawn(this.#executable, [], {
        cwd: "/",
        env: this.environment(process.env),
        stdio: ["ignore", "ignore", "pipe"],
        detached: true,
      });
      const fail = (what: string) => {
        const text = bytesText(output).trim();
        const said = text === "" ? "" : ` (it said: ${text})`;
        resolve(err(`Cannot start node ${this.node.pnn}: ${what}${said}; read "${this.log}"`));
      };
      const timer = setTimeout(() => {
        fail(`"${this.#executable}" did not go into the background in ${START_TIMEOUT_MS} ms`);
        child.kill("SIGKILL");
      }, START_TIMEOUT_MS);
      child.stderr.on("data", (chunk: Buffer) => {
        output = Buffer.concat([output, chunk]).subarray(-OUTPUT_BYTES_MAX);
      });
      child.on("error", (error) => {
        clearTimeout(timer);
        fail(`"${this.#executable}" cannot be run: ${error.message}`);
      });
      child.on("exit", (code, signal) => {
        clearTimeout(timer);
        // A daemon that keeps standard error open must not keep us.
        child.stderr.destroy();
        if (code === 0) resolve(done);
        else fail(`"${this.#executable}" ended with ${signal ?? `exit status ${code}`}`);
      });
    });
  }

  /** The running ctdbd's pid; undefined when it does not run. */
  daemonPid(): number | undefined {
    const pid = Number(readText(this.#directory.pidFile(this.node.pnn)).trim());
    return Number.isInteger(pid) && pid > 1 && this.#isOurs(pid, "ctdbd") ? pid : undefined;
  }

  /** All processes of the node, ctdbd and its children, also when ctdbd has gone. */
  pids(): readonly number[] {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid)
      .filter((pid) => this.#isOurs(pid, undefined));
  }

  /** Sends a signal to one process that `daemonPid` or `pids` named. */
  signal(pid: number, signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself meanwhile.
    }
  }

  #isOurs(pid: number, name: string | undefined): boolean {
    let executable: string;
    try {
      executable = basename(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      // Not there, a zombie, or another user's.
      return false;
    }
    // A replaced file is shown as "ctdbd (deleted)".
    const plain = executable.replace(/ \(deleted\)$/, "");
    if (name !== undefined ? plain !== name : !plain.startsWith("ctdb")) return false;
    return readText(`/proc/${pid}/environ`).split("\0").includes(`CTDB_BASE=${this.base}`);
  }
}

function readText(path: string): string {
  try {
    return bytesText(readFileSync(path));
  } catch {
    return "";
  }
}
