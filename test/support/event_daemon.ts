/** A real event daemon, ours or another, in a temporary directory, and what it leaves behind. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type CommandResult, runCommand } from "./command.ts";
import { killAll } from "./end_processes.ts";
import { withTemporaryDirectory } from "./temp_dir.ts";
import { until, when } from "./until.ts";

const START_MS_MAX = 20_000;
const END_MS_MAX = 20_000;

export class EventDaemon {
  readonly base: string;
  readonly #process: ReturnType<typeof Bun.spawn>;

  constructor(base: string, program: string) {
    this.base = base;
    this.#process = Bun.spawn([program], {
      env: this.environment,
      stdin: "ignore",
      stdout: Bun.file(join(base, "eventd.log")),
      stderr: Bun.file(join(base, "eventd.err")),
    });
  }

  get pid(): number {
    return this.#process.pid;
  }
  get environment(): Record<string, string> {
    return { CTDB_TEST_MODE: "yes", CTDB_BASE: this.base, PATH: "/usr/bin:/bin", TZ: "UTC" };
  }
  get log(): string {
    return ["eventd.log", "eventd.err"]
      .map((name) => readFileSync(join(this.base, name), "latin1"))
      .join("");
  }

  async started(): Promise<void> {
    const socket = join(this.base, "run/eventd.socket");
    await until("the event daemon listens", START_MS_MAX, () => when(existsSync(socket)));
  }

  async ask(tool: string, ...args: readonly string[]): Promise<CommandResult> {
    return await runCommand([tool, ...args], { env: this.environment, timeoutMs: 60_000 });
  }

  /** Open descriptors, by what they are. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
  residentKilobytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "latin1");
    return Number(/^VmRSS:\s+([0-9]+)/m.exec(status)?.[1]);
  }
  /** Everything that was started with this directory, but the daemon. */
  processes(): number[] {
    const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
    return pids.map(Number).filter((pid) => pid !== this.pid && this.#isOurs(pid));
  }

  async end(): Promise<void> {
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), END_MS_MAX);
    await this.#process.exited;
    clearTimeout(timer);
  }

  #isOurs(pid: number): boolean {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      return environment.includes(`CTDB_BASE=${this.base}`);
    } catch {
      // It has ended.
      return false;
    }
  }
}

/** Name of a script in `events/`, or in `share/events/`, and its text; without `#!` it cannot be executed. */
export type ScriptTexts = Readonly<Record<string, string>>;

export async function withEventDaemon(
  program: string,
  scripts: ScriptTexts,
  action: (daemon: EventDaemon) => Promise<void>,
  configuration = "",
): Promise<void> {
  await withTemporaryDirectory(async (base) => {
    for (const name of ["run", "events/legacy"]) mkdirSync(join(base, name), { recursive: true });
    for (const [name, text] of Object.entries(scripts)) writeScript(join(base, name), text);
    writeFileSync(join(base, "ctdb.conf"), `[logging]\nlocation = file:\n${configuration}`);
    const daemon = new EventDaemon(base, program);
    try {
      await daemon.started();
      await action(daemon);
    } finally {
      await daemon.end();
      killAll(daemon.processes());
    }
  }, "evd");
}

export function writeScript(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  if (text.startsWith("#!")) chmodSync(path, 0o755);
}
