/**
 * flock: util-linux' program for systems without it. Locks an open file that the shell has under a number, or
 * a file for as long as a command runs. Options, texts and exit statuses are those of the original; what it waits
 * for a limited time it asks for again and again.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { pause } from "#program";
import { execBytes } from "../../base/exec_bytes.ts";
import { type FileLockOperation, lockFile } from "../../platform/libc/file_lock.ts";
import { errorText } from "../../platform/libc/posix_lock.ts";
import { nodeFs, pathForCall } from "../../platform/node/path.ts";
import { systemErrorFrom } from "../../platform/node/thrown_error.ts";
import { printErr, printOut } from "../buffered_output.ts";
import { inheritedEnvironment } from "../environment.ts";
import { ownEnvironment } from "../own_process.ts";
import type { Role } from "../role.ts";
import { type FlockRequest, parseFlock } from "./flock_arguments.ts";

const NAME = "flock";
const HELP = `Usage: flock [OPTIONS] FILE|DIRECTORY COMMAND [ARGUMENTS]
   or: flock [OPTIONS] FILE|DIRECTORY -c COMMAND
   or: flock [OPTIONS] NUMBER
Locks a file while a command runs, or an open file of the shell by its number.

  -x, --exclusive       an exclusive lock (as without options)
  -s, --shared          a shared one
  -u, --unlock          gives the lock back
  -n, --nonblock        fails rather than waits
  -w, --timeout SECONDS waits so long only; --wait is the same
  -E, --conflict-exit-code NUMBER
                        the status after a conflict or at the end of the wait (1)
  -o, --close           the command does not inherit the lock
  -c, --command COMMAND is run by the shell
  -h, --help            this text
`;
const STATUS = { usage: 64, descriptor: 65, noFile: 66, noCommand: 69, system: 71 } as const;
const ASK_AGAIN_MS = 5;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  const parsed = parseFlock(args);
  if (parsed === "help") {
    printOut(HELP);
    return 0;
  }
  if (typeof parsed === "string") return fail(STATUS.usage, parsed);
  const opened = parsed.descriptor === undefined ? open(parsed.path) : ofShell(parsed.descriptor);
  if (typeof opened === "string") {
    const status = parsed.descriptor === undefined ? STATUS.noFile : STATUS.descriptor;
    return fail(status, opened);
  }
  const locked = lock(opened, parsed);
  if (typeof locked === "string") return fail(STATUS.descriptor, locked);
  if (!locked) return parsed.conflictStatus;
  return parsed.command === undefined ? 0 : await runCommand(parsed.command, opened, parsed.close);
}

function fail(status: number, reason: string): number {
  printErr(`${NAME}: ${reason}\n`);
  return status;
}

/** A number, or why there is none. */
function open(path: string): number | string {
  const { O_RDONLY, O_CREAT, O_NOCTTY } = nodeFs().constants;
  try {
    return nodeFs().openSync(pathForCall(path), O_RDONLY | O_CREAT | O_NOCTTY, 0o666);
  } catch (error) {
    // A directory cannot be made so, but locked.
    try {
      return nodeFs().openSync(pathForCall(path), O_RDONLY | O_NOCTTY);
    } catch {
      const { code } = systemErrorFrom(error, "open", path);
      return `cannot open lock file ${path}: ${textOf(code)}`;
    }
  }
}

/** What only the runtime has open under this number is not the shell's. */
function ofShell(descriptor: number): number | string {
  try {
    const file = nodeFs().readlinkSync(`/proc/self/fd/${descriptor}`);
    if (!file.startsWith("anon_inode:")) return descriptor;
  } catch {
    // It is not open, or /proc is not there to tell.
    if (!nodeFs().existsSync("/proc/self/fd")) return descriptor;
  }
  return `${descriptor}: ${textOf("EBADF")}`;
}

function textOf(code: string): string {
  const number = new Map<string, number>(Object.entries(constants.errno)).get(code);
  return number === undefined ? code : errorText(number);
}

function lock(descriptor: number, request: FlockRequest): boolean | string {
  const { operation, timeoutMs } = request;
  const endMs = performance.now() + (timeoutMs ?? 0);
  for (;;) {
    const locked = lockOnce(descriptor, operation, timeoutMs === undefined);
    if (locked !== false || performance.now() >= endMs) return locked;
    pause(ASK_AGAIN_MS);
  }
}

function lockOnce(descriptor: number, operation: FileLockOperation, waits: boolean) {
  const locked = lockFile(descriptor, operation, waits);
  return locked.ok ? locked.value : `${descriptor}: ${errorText(locked.error)}`;
}

/** The lock is the command's too, and stays with what it leaves behind. */
async function runCommand(
  command: readonly [string, ...string[]] | { readonly shell: string },
  descriptor: number,
  close: boolean,
): Promise<number> {
  const { BUN_BE_BUN: _beBun, BUN_OPTIONS: _bunOptions, ...env } = inheritedEnvironment();
  const shell = ownEnvironment()["SHELL"] ?? "/bin/sh";
  const argv = "shell" in command ? ([shell, "-c", command.shell] as const) : command;
  const [program, ...rest] = execBytes(argv, env);
  const inherited = close ? [] : [descriptor];
  return await new Promise((resolve) => {
    const child = spawn(program, rest, {
      env,
      stdio: ["inherit", "inherit", "inherit", ...inherited],
    });
    child.once("error", (error) => {
      const { code } = systemErrorFrom(error, "execute", program);
      resolve(fail(STATUS.noCommand, `failed to execute ${argv[0]}: ${textOf(code)}`));
    });
    child.once("exit", (status, signal) => {
      const number = new Map<string, number>(Object.entries(constants.signals)).get(signal ?? "");
      resolve(number === undefined ? (status ?? STATUS.system) : 128 + number);
    });
  });
}
