/**
 * Runs a program to its end, for tests: output and exit status, never longer than a limit. Arguments, input
 * and output may be any bytes (src/base/byte_text.ts).
 */
import { bytesText, textBytes } from "../../src/base/byte_text.ts";
import { execBytes } from "../../src/base/exec_bytes.ts";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

const COMMAND_TIMEOUT_MS = 60_000;

/** A program that is killed at the time limit has the code 137. */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [program = "", ...args] = argv;
  const child = Bun.spawn([...execBytes([program, ...args], options.env ?? {})], {
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    stdin: options.input === undefined ? "ignore" : textBytes(options.input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? COMMAND_TIMEOUT_MS);
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).bytes(),
  ]);
  const code = await child.exited;
  clearTimeout(timer);
  return { code, stdout: bytesText(stdout), stderr: bytesText(stderr) };
}
