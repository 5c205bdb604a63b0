/**
 * Programs of the directory of helpers that the tool runs in its own place: they have its standard input and
 * output. Loaded on demand: few commands have one.
 *
 * Invariants:
 * 1. The helper stays in our process group: whoever ends the group (a terminal, the event daemon) ends all.
 * 2. The helper and what it started do not outlive the tool that gave up waiting for it. The original ends its
 *    whole group then, and with it the script that called it.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { bytesText } from "../base/byte_text.ts";
import { execBytes } from "../base/exec_bytes.ts";
import type { HelperEnd, HelperOutput } from "../cli/host.ts";
import { resolvePaths } from "../config/paths.ts";
import { inheritedEnvironment } from "./environment.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";

const { ENOENT, EINVAL } = constants.errno;
const SIGNALS: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));

export function runHelper(
  name: string,
  args: readonly string[],
  output?: HelperOutput,
): Promise<HelperEnd> {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return Promise.resolve({ kind: "not started", errno: EINVAL });
  const { BUN_BE_BUN: _beBun, BUN_OPTIONS: _bunOptions, ...env } = inheritedEnvironment();
  const program = `${paths.value.helperDirectory}/${name}`;
  const [path, ...rest] = execBytes([program, ...args], env);
  return new Promise((resolve) => {
    const stdio = output === undefined ? "inherit" : "pipe";
    const child = spawn(path, rest, { env, stdio: ["inherit", stdio, stdio] });
    child.stdout?.on("data", (bytes: Uint8Array) => output?.out(bytes));
    child.stderr?.on("data", (bytes: Uint8Array) => output?.err(bytes));
    const giveUp = () => endTree(child.pid);
    const ended = (end: HelperEnd) => {
      process.off("exit", giveUp);
      resolve(end);
    };
    process.once("exit", giveUp);
    child.once("error", (error) => ended({ kind: "not started", errno: errnoOf(error) }));
    // Unlike "exit" it comes after all output.
    child.once("close", (status, signal) => {
      if (signal === null) ended({ kind: "status", status: status ?? 0 });
      else ended({ kind: "signal", signal: SIGNALS.get(signal) ?? 0 });
    });
  });
}

/** Node gives error numbers as negative values. */
function errnoOf(error: Error): number {
  const number = "errno" in error ? error.errno : undefined;
  return typeof number === "number" ? Math.abs(number) : ENOENT;
}

/** The process, which was not reaped yet, and all that it has started. */
function endTree(pid: number | undefined): void {
  if (pid === undefined) return;
  const children = childrenByParent();
  const tree = [pid];
  for (const each of tree) tree.push(...(children.get(each) ?? []));
  for (const each of tree) {
    try {
      process.kill(each, "SIGTERM");
    } catch {
      // It has ended meanwhile.
    }
  }
}

function childrenByParent(): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^[0-9]+$/.test(name) ? parentOf(name) : undefined;
    if (parent === undefined) continue;
    const known = children.get(parent) ?? [];
    known.push(Number(name));
    children.set(parent, known);
  }
  return children;
}

/** The name in front stands in brackets, and may hold any. */
function parentOf(pid: string): number | undefined {
  try {
    const status = bytesText(readFileSync(`/proc/${pid}/stat`));
    const parent = /^ \S ([0-9]+) /.exec(status.slice(status.lastIndexOf(")") + 1));
    return parent === null ? undefined : Number(parent[1]);
  } catch {
    return undefined;
  }
}
