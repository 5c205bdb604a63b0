/**
 * Going into the background: the command starts itself again in a session of its own and waits until
 * that process serves clients, or says why it cannot. So the exit status of `ctdbd` tells, and the pid
 * file names the process that stays.
 *
 * The child reports through file descriptor 3: one line, empty for success, then the descriptor closes.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, realpathSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { inheritedEnvironment, withRuntimeSettings } from "./environment.ts";

const REPORT_DESCRIPTOR = 3;
const REPORT_VARIABLE = "CTDB_BACKGROUND_REPORT";

/** What runs a role of this installation, from the executable that runs now. */
export function selfCommand(role: string, args: readonly string[]): [string, ...string[]] {
  const executable = realpathSync("/proc/self/exe");
  const name = basename(executable);
  if (name === role) return [executable, ...args];
  // From a checkout the runtime runs main.ts.
  if (name.startsWith("bun")) return [executable, Bun.main, role, ...args];
  const sibling = join(dirname(executable), role);
  // One executable holds every role, and takes a role as its first argument.
  return existsSync(sibling) ? [sibling, ...args] : [executable, role, ...args];
}

export interface BackgroundOptions {
  /** Test harnesses end a daemon by closing its standard input. */
  readonly keepStdin: boolean;
  /** Where the runtime's own last words go (a crash); nowhere when there is no log file. */
  readonly outputPath: string | undefined;
}

/** Starts the daemon in the background; the result is the exit status of the command. */
export function startInBackground(
  role: string,
  args: readonly string[],
  { keepStdin, outputPath }: BackgroundOptions,
): Promise<number> {
  const [command, ...rest] = selfCommand(role, args);
  const output = outputPath === undefined ? "ignore" : openForAppend(outputPath);
  return new Promise<number>((resolve) => {
    const child = spawn(command, rest, {
      detached: true,
      env: withRuntimeSettings({
        ...inheritedEnvironment(),
        [REPORT_VARIABLE]: String(REPORT_DESCRIPTOR),
      }),
      stdio: [keepStdin ? "inherit" : "ignore", output, output, "pipe"],
    });
    let report = "";
    const pipe = child.stdio[REPORT_DESCRIPTOR];
    child.on("error", (error) => {
      process.stderr.write(`Cannot start "${command}": ${error.message}\n`);
      resolve(1);
    });
    // After the report, if there was one.
    child.on("close", (code, signal) => {
      if (report === "") {
        process.stderr.write(
          `ctdbd ended with ${signal ?? `exit status ${code}`} while starting\n`,
        );
      }
      resolve(code === null || code === 0 ? 1 : code);
    });
    pipe?.on("data", (chunk: Uint8Array) => {
      report += new TextDecoder().decode(chunk);
      if (!report.includes("\n")) return;
      const reason = report.trim();
      if (reason === "") {
        child.unref();
        resolve(0);
      } else {
        process.stderr.write(`${reason}\n`);
      }
    });
  });
}

function openForAppend(path: string): number | "ignore" {
  try {
    return openSync(path, "a");
  } catch {
    // The daemon will say that it cannot log.
    return "ignore";
  }
}

/** The report of a daemon in the background; undefined when nobody waits for one. */
export function takeBackgroundReport(): ((reason: string | undefined) => void) | undefined {
  const value = process.env[REPORT_VARIABLE];
  delete process.env[REPORT_VARIABLE];
  if (value !== String(REPORT_DESCRIPTOR)) return undefined;
  return (reason) => {
    try {
      writeSync(REPORT_DESCRIPTOR, `${(reason ?? "").replaceAll("\n", "; ")}\n`);
      closeSync(REPORT_DESCRIPTOR);
    } catch {
      // The command was killed meanwhile: the daemon goes on.
    }
  };
}
