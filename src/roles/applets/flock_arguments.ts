/** What a command line of flock asks for. Options end at the first operand; then comes the command's own line. */
import type { FileLockOperation } from "../../platform/libc/file_lock.ts";

export interface FlockRequest {
  readonly operation: FileLockOperation;
  /** Undefined: as long as it takes; 0: not at all. */
  readonly timeoutMs: number | undefined;
  readonly conflictStatus: number;
  readonly close: boolean;
  /** Instead of a path. */
  readonly descriptor: number | undefined;
  readonly path: string;
  readonly command: readonly [string, ...string[]] | { readonly shell: string } | undefined;
}

const SHORT = new Map([
  ["s", "shared"],
  ["x", "exclusive"],
  ["e", "exclusive"],
  ["u", "unlock"],
  ["n", "nonblock"],
  ["w", "timeout"],
  ["E", "conflict-exit-code"],
  ["o", "close"],
  ["F", "no-fork"],
  ["h", "help"],
]);
const OTHER_NAMES = new Map([
  ["nb", "nonblock"],
  ["wait", "timeout"],
]);
const WITH_VALUE = new Set(["timeout", "conflict-exit-code"]);
const NAMES = new Set(SHORT.values());

/** A sentence when it asks for nothing that can be done. */
export function parseFlock(args: readonly string[]): FlockRequest | "help" | string {
  const options = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] as string;
    if (word === "--" || !word.startsWith("-") || word === "-") break;
    const read = readOption(word, args[at + 1]);
    if (typeof read === "string") return read;
    for (const [name, value] of read.options) options.set(name, value);
    if (read.tookNext) at += 1;
  }
  if (options.has("help")) return "help";
  return request(options, args.slice(args[at] === "--" ? at + 1 : at));
}

interface ReadOption {
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly tookNext: boolean;
}

function readOption(word: string, next: string | undefined): ReadOption | string {
  if (word.startsWith("--")) {
    const [, given = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const name = OTHER_NAMES.get(given) ?? given;
    if (!NAMES.has(name)) return `unrecognized option '${word}'`;
    return withValue(name, word, value, next);
  }
  const options: (readonly [string, string])[] = [];
  for (let i = 1; i < word.length; i++) {
    const letter = word[i] as string;
    const name = SHORT.get(letter);
    if (name === undefined) return `invalid option -- '${letter}'`;
    if (!WITH_VALUE.has(name)) {
      options.push([name, ""]);
      continue;
    }
    const last = withValue(name, `-${letter}`, word.slice(i + 1) || undefined, next);
    return typeof last === "string" ? last : { ...last, options: [...options, ...last.options] };
  }
  return { options, tookNext: false };
}

function withValue(
  name: string,
  word: string,
  value: string | undefined,
  next: string | undefined,
): ReadOption | string {
  if (!WITH_VALUE.has(name)) return { options: [[name, ""]], tookNext: false };
  if (value !== undefined) return { options: [[name, value]], tookNext: false };
  if (next === undefined) return `option '${word}' requires an argument`;
  return { options: [[name, next]], tookNext: true };
}

function request(
  options: ReadonlyMap<string, string>,
  operands: readonly string[],
): FlockRequest | string {
  const [path, program, ...rest] = operands;
  if (path === undefined) return "not enough arguments";
  const seconds = options.get("timeout");
  if (seconds !== undefined && !/^[0-9]+(\.[0-9]*)?$|^\.[0-9]+$/.test(seconds)) {
    return `invalid timeout value: '${seconds}'`;
  }
  const status = options.get("conflict-exit-code") ?? "1";
  if (!/^[0-9]{1,3}$/.test(status) || Number(status) > 255) {
    return `invalid exit code: '${status}'`;
  }
  const base = {
    operation: options.has("unlock") ? "unlock" : options.has("shared") ? "shared" : "exclusive",
    timeoutMs: options.has("nonblock") ? 0 : seconds === undefined ? undefined : 1000 * +seconds,
    conflictStatus: Number(status),
    close: options.has("close"),
    path,
  } as const;
  if (program === undefined) {
    if (!/^[0-9]{1,9}$/.test(path)) return `bad file descriptor: '${path}'`;
    return { ...base, descriptor: Number(path), command: undefined };
  }
  if (program !== "-c" && program !== "--command") {
    return { ...base, descriptor: undefined, command: [program, ...rest] };
  }
  const [shell, more] = rest;
  if (shell === undefined || more !== undefined) return `${program} requires exactly one command`;
  return { ...base, descriptor: undefined, command: { shell } };
}
