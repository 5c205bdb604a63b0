/**
 * Going into the background: the command starts itself again in a session of its own and waits until
 * that process serves clients, or says why it cannot. So the exit status of `ctdbd` tells, and the pid
 * file names the process that stays.
 *
 * The child reports through file descriptor 3: one line, empty for success, then the descriptor closes.
 */
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { bytesText, textBytes } from "../base/byte_text.ts";
import { execBytes } from "../base/exec_bytes.ts";
import { parseLogLocation } from "../base/log_format.ts";
import { closeDescriptor } from "../platform/libc/pipe.ts";
import { pathForCall } from "../platform/node/path.ts";
import { printErr, writeAll } from "./buffered_output.ts";
import { inheritedEnvironment, withDaemonSettings } from "./environment.ts";
import { selfCommand } from "./own_process.ts";

const REPORT_DESCRIPTOR = 3;
const REPORT_VARIABLE = "CTDB_BACKGROUND_REPORT";

type Output = number | "ignore" | "inherit";

export interface BackgroundOptions {
  /** Test harnesses end a daemon by closing its standard input. */
  readonly keepStdin: boolean;
  /** `[logging] location`: standard error of the daemon is that file, or ours when it logs there. */
  readonly logLocation: string;
}

/** Starts the daemon in the background; the result is the exit status of the command. */
export function startInBackground(
  role: string,
  args: readonly string[],
  { keepStdin, logLocation }: BackgroundOptions,
): Promise<number> {
  const environment = withDaemonSettings({
    ...inheritedEnvironment(),
    [REPORT_VARIABLE]: String(REPORT_DESCRIPTOR),
  });
  const [command, ...rest] = execBytes(selfCommand(role, args), environment);
  const [output, errors] = standardOutputs(logLocation);
  return new Promise<number>((resolve) => {
    const child = spawn(command, rest, {
      detached: true,
      env: environment,
      stdio: [keepStdin ? "inherit" : "ignore", output, errors, "pipe"],
    });
    const report: Uint8Array[] = [];
    const pipe = child.stdio[REPORT_DESCRIPTOR];
    child.on("error", (error) => {
      printErr(`Cannot start "${command}": ${error.message}\n`);
      resolve(1);
    });
    // After the report, if there was one.
    child.on("close", (code, signal) => {
      if (report.length === 0) {
        printErr(`ctdbd ended with ${signal ?? `exit status ${code}`} while starting\n`);
      }
      resolve(code === null || code === 0 ? 1 : code);
    });
    pipe?.on("data", (chunk: Uint8Array) => {
      report.push(chunk);
      const text = bytesText(Buffer.concat(report));
      if (!text.includes("\n")) return;
      const reason = text.trim();
      if (reason === "") {
        // The daemon stays; nothing of it shall keep this command.
        child.unref();
        pipe.destroy();
        resolve(0);
      } else {
        printErr(`${reason}\n`);
      }
    });
  });
}

/** Where the runtime's own last words go (a crash): nowhere when it logs to syslog. */
function standardOutputs(logLocation: string): readonly [Output, Output] {
  const location = parseLogLocation(logLocation);
  if (!location.ok || location.value.kind === "syslog") return ["ignore", "ignore"];
  if (location.value.kind === "stderr") return ["ignore", "inherit"];
  const output = openForAppend(location.value.path);
  return [output, output];
}

function openForAppend(path: string): number | "ignore" {
  try {
    return openSync(pathForCall(path), "a");
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
      const line = textBytes(`${(reason ?? "").replaceAll("\n", "; ")}\n`);
      writeAll(REPORT_DESCRIPTOR, line, "the report");
    } catch {
      // The command was killed meanwhile: the daemon goes on.
    }
    // Not by the runtime, which may have made another descriptor of it.
    closeDescriptor(REPORT_DESCRIPTOR);
  };
}
