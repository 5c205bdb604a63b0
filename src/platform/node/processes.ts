/**
 * Child processes in groups of their own, with pipes that are always drained.
 *
 * Invariants:
 * 1. The child gets real pipes: on the socket pairs that runtimes use by default, a script's
 *    `echo … >/dev/stderr` fails.
 * 2. onExit comes after the output that the child left, once: the pipes end, or a short time passes
 *    because a grandchild keeps them open. What the grandchild writes later is still drained and told. The one pipe
 *    of `onOutput` is closed at once.
 * 3. No signal goes to a process group after its leader was reaped, as the number may be another's: only with
 *    `endsGroup`, in the moment in which we hear that it was.
 * 4. SIGHUP for a log goes only to a child that handles it: it would end another, and one that does not handle it
 *    yet has not opened its log.
 * 5. BUN_BE_BUN and BUN_OPTIONS never reach a child: they would turn one of our roles into the runtime.
 *
 * Must not: keep more of a line than its limit.
 */
import { spawn } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { bytesText } from "../../base/byte_text.ts";
import type { SystemError } from "../../base/errors.ts";
import { execBytes } from "../../base/exec_bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { DESCRIPTOR_FUNCTIONS } from "../libc/functions.ts";
import { openLibc, systemErrorFrom } from "../libc/libc.ts";
import { closeDescriptor, openPipe, setNonBlocking } from "../libc/pipe.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { type DrainedPipe, drainPipe } from "../loop/pipe_reader.ts";
import type { ChildProcess, Processes, SpawnOptions } from "../types/processes.ts";
import type { Timer } from "../types/time.ts";
import { LineCutter } from "./line_cutter.ts";
import { pathForCall } from "./path.ts";

/** How long output may still come after the exit before onExit is called without its end. */
const OUTPUT_GRACE_MS = 250;

export class SystemProcesses implements Processes {
  readonly ownPid: number = process.pid;
  readonly #loop: EventLoop;
  readonly #logging = new Set<Child>();

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  spawn(options: SpawnOptions): Result<ChildProcess, SystemError> {
    const path = options.argv[0];
    const pipes = new ChildPipes();
    try {
      const child = new Child(this.#loop, options, pipes, () => this.#logging.delete(child));
      if (options.reopensLog === true) this.#logging.add(child);
      return ok(child);
    } catch (error) {
      pipes.closeParentEnds();
      return err(systemErrorFrom(error, "spawn", path));
    } finally {
      pipes.closeChildEnds();
    }
  }

  /** Has the children that log reopen their logs, as this process did. */
  reopenLogs(): void {
    for (const child of this.#logging) child.reopenLog();
  }

  nameOf(pid: number): string | undefined {
    try {
      return bytesText(readFileSync(`/proc/${pid}/comm`)).trimEnd();
    } catch {
      return undefined;
    }
  }

  isAlive(pid: number): boolean {
    if (!Number.isInteger(pid) || pid <= 0) return false;
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      // EPERM: it exists and belongs to somebody else.
      return systemErrorFrom(error, "kill", String(pid)).code === "EPERM";
    }
  }
}

/** Both ends of the pipes of one child, so that none is left behind on any path. */
class ChildPipes {
  readonly #childEnds: number[] = [];
  readonly #parentEnds: number[] = [];

  /** The child writes, we read. */
  output(): { readonly ours: number; readonly childs: number } {
    const { readEnd, writeEnd } = openPipe();
    this.#childEnds.push(writeEnd);
    this.#parentEnds.push(readEnd);
    return { ours: readEnd, childs: writeEnd };
  }

  /** We hold the writing end. */
  input(): { readonly ours: number; readonly childs: number } {
    const { readEnd, writeEnd } = openPipe();
    this.#childEnds.push(readEnd);
    this.#parentEnds.push(writeEnd);
    return { ours: writeEnd, childs: readEnd };
  }

  closeChildEnds(): void {
    for (const descriptor of this.#childEnds) closeDescriptor(descriptor);
  }

  closeParentEnds(): void {
    for (const descriptor of this.#parentEnds) closeDescriptor(descriptor);
  }
}

class Child implements ChildProcess {
  readonly pid: number;
  readonly #loop: EventLoop;
  readonly #options: SpawnOptions;
  readonly #stdin: number | undefined;
  readonly #reaped: () => void;
  #exit: { readonly code: number | undefined; readonly signal: string | undefined } | undefined;
  #exitTold = false;
  #grace: Timer | undefined;
  #pipesOpen = 0;
  #output: DrainedPipe | undefined;
  #signalled = false;

  constructor(loop: EventLoop, options: SpawnOptions, pipes: ChildPipes, reaped: () => void) {
    this.#loop = loop;
    this.#options = options;
    this.#reaped = reaped;
    const stdin = options.keepStdinOpen ? pipes.input() : undefined;
    const stdout = pipes.output();
    const stderr = options.onOutput === undefined ? pipes.output() : stdout;
    const status = options.onStatusPipe === undefined ? undefined : pipes.output();
    const { BUN_BE_BUN: _beBun, BUN_OPTIONS: _bunOptions, ...environment } = options.env;
    this.pid = started([...execBytes(options.argv, environment)], {
      environment,
      descriptors: [
        stdin?.childs ?? "ignore",
        stdout.childs,
        stderr.childs,
        ...(status === undefined ? [] : [status.childs]),
      ],
      exited: (code, signal) => this.#exited(code, signal),
    });
    this.#stdin = stdin?.ours;
    if (this.#stdin !== undefined) setNonBlocking(this.#stdin);
    if (options.onOutput === undefined) {
      this.#drainOutput(stdout.ours, "stdout");
      this.#drainOutput(stderr.ours, "stderr");
    } else {
      this.#output = this.#drain(stdout.ours, (chunk) => options.onOutput?.(chunk));
    }
    if (status !== undefined) {
      this.#drain(status.ours, (chunk) => options.onStatusPipe?.(chunk));
    }
  }

  kill(signal: Parameters<ChildProcess["kill"]>[0]): void {
    if (this.#exit !== undefined) return;
    this.#signalled = true;
    this.#signalGroup(signal);
  }

  #signalGroup(signal: Parameters<ChildProcess["kill"]>[0]): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Already gone and not yet reaped: onExit follows.
    }
  }

  tell(bytes: Uint8Array): void {
    if (this.#exit !== undefined || this.#stdin === undefined) return;
    openLibc(DESCRIPTOR_FUNCTIONS).write(this.#stdin, bytes, bytes.length);
  }

  reopenLog(): void {
    if (this.#exit !== undefined || !handlesHangup(this.pid)) return;
    try {
      process.kill(this.pid, "SIGHUP");
    } catch {
      // Already gone and not yet reaped.
    }
  }

  #drainOutput(descriptor: number, from: "stdout" | "stderr"): void {
    if (from === "stdout" && this.#options.onStdout !== undefined) {
      this.#drain(
        descriptor,
        (chunk) => this.#options.onStdout?.(chunk),
        () => this.#options.onStdoutEnd?.(),
      );
      return;
    }
    const lines = new LineCutter((line) => this.#options.onOutputLine?.(line, from));
    this.#drain(
      descriptor,
      (chunk) => lines.take(chunk),
      () => {
        lines.end();
        if (from === "stdout") this.#options.onStdoutEnd?.();
      },
    );
  }

  #drain(
    descriptor: number,
    onChunk: (chunk: Uint8Array) => void,
    onEnd?: () => void,
  ): DrainedPipe {
    this.#pipesOpen += 1;
    const ended = (): void => {
      this.#pipesOpen -= 1;
      onEnd?.();
      this.#tellExit();
    };
    return drainPipe(this.#loop, descriptor, onChunk, ended);
  }

  #exited(code: number | null, signal: string | null): void {
    this.#exit =
      signal === null
        ? { code: code ?? undefined, signal: undefined }
        : { code: undefined, signal };
    if (this.#options.endsGroup === true && this.#signalled) this.#signalGroup("SIGKILL");
    this.#reaped();
    this.#output?.finish();
    if (this.#stdin !== undefined) closeDescriptor(this.#stdin);
    this.#grace = this.#loop.after(OUTPUT_GRACE_MS, () => {
      this.#pipesOpen = 0;
      this.#tellExit();
    });
    this.#loop.soon(() => this.#tellExit());
  }

  #tellExit(): void {
    if (this.#exit === undefined || this.#pipesOpen > 0 || this.#exitTold) return;
    this.#exitTold = true;
    this.#grace?.cancel();
    this.#options.onExit(this.#exit);
  }
}

/** Does the process catch SIGHUP, the first bit of the mask? */
function handlesHangup(pid: number): boolean {
  try {
    const status = bytesText(readFileSync(`/proc/${pid}/status`));
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status);
    return (Number.parseInt(caught?.[1]?.slice(-1) ?? "0", 16) & 1) !== 0;
  } catch {
    return false;
  }
}

interface Start {
  readonly environment: Readonly<Record<string, string>>;
  readonly descriptors: readonly (number | "ignore")[];
  exited(code: number | null, signal: string | null): void;
}

/** pid of the child. Throws what has a `code`, as node's own functions do. */
function started(argv: readonly string[], { environment, descriptors, exited }: Start): number {
  const [path = "", ...rest] = argv;
  const child = spawn(path, rest, {
    env: environment,
    stdio: [...descriptors],
    // setsid: a session and so a process group of its own.
    detached: true,
  });
  child.on("exit", exited);
  // It comes later; without a pid nothing was started.
  child.on("error", () => {});
  if (child.pid !== undefined) return child.pid;
  accessSync(pathForCall(path), constants.X_OK);
  throw Object.assign(new Error(`Cannot start "${path}"`), { code: "ENOENT" });
}
