/**
 * Programs of the directory of helpers that the tool runs in its own place: they have its standard input and
 * output and its process group. Loaded on demand: few commands have one.
 *
 * Invariant: the helper does not outlive the tool that gave up waiting for it.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { execBytes } from "../base/exec_bytes.ts";
import type { HelperEnd } from "../cli/host.ts";
import { resolvePaths } from "../config/paths.ts";
import { inheritedEnvironment } from "./environment.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";

const { ENOENT, EINVAL } = constants.errno;
const SIGNALS: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));

export function runHelper(name: string, args: readonly string[]): Promise<HelperEnd> {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return Promise.resolve({ kind: "not started", errno: EINVAL });
  const { BUN_BE_BUN: _beBun, BUN_OPTIONS: _bunOptions, ...env } = inheritedEnvironment();
  const program = `${paths.value.helperDirectory}/${name}`;
  const [path, ...rest] = execBytes([program, ...args], env);
  return new Promise((resolve) => {
    const child = spawn(path, rest, { env, stdio: "inherit" });
    const end = () => child.kill("SIGTERM");
    process.once("exit", end);
    child.once("error", (error) => {
      process.off("exit", end);
      resolve({ kind: "not started", errno: errnoOf(error) });
    });
    child.once("exit", (status, signal) => {
      process.off("exit", end);
      if (signal === null) resolve({ kind: "status", status: status ?? 0 });
      else resolve({ kind: "signal", signal: SIGNALS.get(signal) ?? 0 });
    });
  });
}

/** Node gives error numbers as negative values. */
function errnoOf(error: Error): number {
  const number = "errno" in error ? error.errno : undefined;
  return typeof number === "number" ? Math.abs(number) : ENOENT;
}
