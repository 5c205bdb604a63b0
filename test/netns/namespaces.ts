/**
 * A machine made of namespaces: network, mounts, process ids, host name and System V IPC of its own,
 * file system shared with the machine outside.
 *
 * 1. Everything in it ends with its first process, and that ends when we do: it reads from a pipe of
 *    ours, so that even a killed test leaves nothing behind.
 * 2. The first process reaps orphans; a dead daemon's child never looks alive.
 * 3. Nothing has a name outside: two runs at the same time cannot meet.
 */
import { readFileSync } from "node:fs";
import { type CommandOptions, type CommandResult, runCommand } from "../support/command.ts";

const ENTER = ["--net", "--mount", "--uts", "--ipc", "--pid"];

/** For `test.skipIf(!namespacesPossible())`. */
export function namespacesPossible(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0;
}

export class Namespaces {
  readonly name: string;
  readonly #holder: Bun.Subprocess<"pipe", "pipe", "inherit">;
  /** The first process, as the outside sees it. */
  readonly pid: number;

  private constructor(name: string, holder: Bun.Subprocess<"pipe", "pipe", "inherit">) {
    this.name = name;
    this.#holder = holder;
    this.pid = onlyChild(holder.pid);
  }

  static async start(name: string): Promise<Namespaces> {
    const holder = Bun.spawn(
      [
        ...["unshare", "--net", "--mount", "--uts", "--ipc", "--pid"],
        ...["--fork", "--kill-child", "--mount-proc"],
        // bash collects every child that dies, also adopted ones, while it waits for its input.
        ...["bash", "-c", 'hostname "$1"; ip link set lo up; echo; read -r _', "bash", name],
      ],
      { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
    );
    const first = await holder.stdout.getReader().read();
    if (first.done) throw new Error(`cannot make namespaces for "${name}": see above`);
    return new Namespaces(name, holder);
  }

  /** The command line that runs `argv` inside. */
  argv(argv: readonly string[]): readonly string[] {
    return ["nsenter", `--target=${this.pid}`, ...ENTER, "--", ...argv];
  }

  run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.argv(argv), { ...options, env: environment(options.env) });
  }

  /** Its standard output; throws when it fails. */
  async must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options);
    if (code === 0) return stdout;
    throw new Error(`on ${this.name}, ${argv.join(" ")}: status ${code}\n${stdout}${stderr}`);
  }

  /** A program to talk to. It ends at the latest with the namespaces. */
  spawn(argv: readonly string[]): Bun.Subprocess<"pipe", "pipe", "pipe"> {
    return Bun.spawn([...this.argv(argv)], {
      cwd: "/",
      env: environment(),
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  /** Signals a process by its number inside. */
  async signal(pid: number, signal: "KILL" | "TERM" | "STOP" | "CONT"): Promise<void> {
    await this.must(["kill", `-${signal}`, String(pid)]);
  }

  /** Ends everything inside and waits until it has ended. */
  async end(): Promise<void> {
    this.#holder.stdin.end();
    await this.#holder.exited;
  }
}

/** Nothing of the caller's CTDB or Samba settings gets inside. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(CTDB|SMB|BUN|NODE|LD)_/.test(entry[0]),
  );
  const path = "/usr/sbin:/usr/bin:/sbin:/bin";
  return { ...Object.fromEntries(inherited), PATH: path, LC_ALL: "C.UTF-8", ...more };
}

function onlyChild(pid: number): number {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  const child = Number(text);
  if (text === "" || !Number.isInteger(child)) {
    throw new Error(`process ${pid} should have one child, has "${text}"`);
  }
  return child;
}
