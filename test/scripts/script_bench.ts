/**
 * Where a test runs event scripts: a CTDB_BASE in which the project's scripts are enabled, with state, /etc, /run
 * and /proc of its own, and stand-ins in PATH before the system's programs. A stand-in notes how it was called
 * and does what the test says; one for a service keeps whether that runs.
 *
 *     using bench = new ScriptBench();
 *     bench.standIn("ip", 'echo "RTNETLINK answers: File exists"; exit 2');
 *     const { code, output } = await bench.event("10.interface", "takeip", "eth1", "10.1.1.1", "24");
 *     expect(bench.calls("ip")).toEqual(["link set eth1 up", …]);
 *
 * Nothing of it reaches the machine's own services, addresses or firewall: every program that could has a
 * stand-in from the start, which does nothing.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../support/command.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

export const SCRIPTS = join(PROJECT, "scripts/events");

/** What a script finds in $CTDB_BASE besides the events. */
const BESIDE = [
  "functions",
  "notify.sh",
  "debug-hung-script.sh",
  "debug_locks.sh",
  "ctdb-backup-persistent-tdbs.sh",
  "ctdb-crash-cleanup.sh",
];
/** What would change the machine. */
const HARMLESS = [
  ...["ctdb", "ip", "ss", "iptables", "ip6tables", "ethtool", "systemctl", "service"],
  ...[
    "killall",
    "pidof",
    "logger",
    "net",
    "wbinfo",
    "testparm",
    "multipath",
    "tgtd",
    "ipcs",
    "ipcrm",
  ],
  ...["smbd", "nmbd", "winbindd", "ctdbd", "host", "ping"],
];
const HELPERS = ["ctdb-config", "ctdb_killtcp", "tdb_mutex_check"];
/** From the start nothing is running and no option is set. */
const NOT_RUNNING = new Map([
  ["killall", "exit 1"],
  ["pidof", "exit 1"],
  ["ctdb-config", "exit 2"],
]);
const RUN_TIMEOUT_MS = 30_000;

type RunCommand = typeof runCommand;

export interface ScriptRun {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export class ScriptBench {
  readonly #run: RunCommand;
  readonly #directory = new TemporaryDirectory("scripts");
  /** Variables of the scripts; a test may change them. */
  readonly environment: Record<string, string>;

  /** `real`: programs without a stand-in, for scripts that `run` takes to where they can do no harm. */
  constructor(real: readonly string[] = [], run: RunCommand = runCommand) {
    this.#run = run;
    for (const folder of ["base/events/legacy", "state", "etc", "run", "proc", "bin", "calls"]) {
      mkdirSync(this.path(folder), { recursive: true });
    }
    for (const name of BESIDE) symlinkSync(join(SCRIPTS, name), this.path("base", name));
    this.environment = {
      PATH: `${this.path("bin")}:${process.env["PATH"] ?? ""}`,
      CTDB_BASE: this.path("base"),
      CTDB_SCRIPT_VARDIR: this.path("state"),
      CTDB_SYS_ETCDIR: this.path("etc"),
      CTDB_SYS_RUNDIR: this.path("run"),
      CTDB_HELPER_BINDIR: this.path("bin"),
      CTDB_LOGGING: "file:",
      PROCFS_PATH: this.path("proc"),
    };
    this.write("etc/os-release", "ID=debian\n");
    for (const name of [...HARMLESS, ...HELPERS]) {
      if (!real.includes(name)) this.standIn(name, NOT_RUNNING.get(name));
    }
  }

  path(...parts: readonly string[]): string {
    return this.#directory.file(...parts);
  }

  write(name: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text, { mode });
  }

  /** Empty when it is not there. */
  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), "utf8") : "";
  }

  options(text: string): void {
    this.write("base/script.options", text);
  }

  /** A program in PATH, or a helper. */
  standIn(name: string, body = ""): void {
    const note = `printf '%s\\n' "$*" >>"${this.path("calls", name)}"`;
    this.write(join("bin", name), `#!/bin/sh\n${note}\n${body}\n`, 0o755);
  }

  /** The arguments of each call, in order. */
  calls(name: string): readonly string[] {
    return this.read(join("calls", name)).split("\n").slice(0, -1);
  }

  forgetCalls(name: string): void {
    this.write(join("calls", name), "");
  }

  /** A service with an init script, which says what it does. */
  service(name: string): void {
    const flag = this.path("run", `${name}.runs`);
    const body = [
      `printf '%s\\n' "$1" >>"${this.path("calls", name)}"`,
      'case "$1" in',
      `start) [ ! -e "${flag}" ] || exit 1; : >"${flag}"; echo "started ${name}" ;;`,
      `stop) [ -e "${flag}" ] || exit 1; rm "${flag}"; echo "stopped ${name}" ;;`,
      `restart) : >"${flag}"; echo "restarted ${name}" ;;`,
      `status) [ -e "${flag}" ] || { echo "${name} is dead"; exit 3; } ;;`,
      "*) exit 2 ;;",
      "esac",
    ];
    this.write(join("etc/init.d", name), `#!/bin/sh\n${body.join("\n")}\n`, 0o755);
  }

  runs(name: string): boolean {
    return existsSync(this.path("run", `${name}.runs`));
  }

  /** Runs the script of an event as the event daemon does, enabled by a link. */
  event(script: string, ...args: readonly string[]): Promise<ScriptRun> {
    const link = this.path("base/events/legacy", `${script}.script`);
    if (!existsSync(link)) symlinkSync(join(SCRIPTS, `events/legacy/${script}.script`), link);
    return this.run(link, ...args);
  }

  /** Lines of shell after the functions were sourced. */
  functions(lines: string): Promise<ScriptRun> {
    return this.run("sh", "-c", `. "$CTDB_BASE/functions"\n${lines}`, "test.script");
  }

  async run(...argv: readonly string[]): Promise<ScriptRun> {
    const { code, stdout } = await this.#run(["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", ...argv], {
      env: this.environment,
      timeoutMs: RUN_TIMEOUT_MS,
    });
    return { code, output: stdout };
  }

  [Symbol.dispose](): void {
    this.#directory.remove();
  }
}

/** A run that said nothing and succeeded. */
export const SILENT: ScriptRun = { code: 0, output: "" };

/** A run that failed with these lines. */
export function failedWith(...lines: readonly string[]): ScriptRun {
  return { code: 1, output: lines.map((line) => `${line}\n`).join("") };
}

/** A run that succeeded with these lines. */
export function saying(...lines: readonly string[]): ScriptRun {
  return { ...failedWith(...lines), code: 0 };
}
