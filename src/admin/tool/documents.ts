/**
 * Documents of the tool: `ctdb --json COMMAND` in this process.
 *
 * Invariants:
 * 1. At most TOOL_RUNS_AT_ONCE_MAX run at a time and TOOL_RUNS_WAITING_MAX wait; others are refused.
 * 2. The same question within a moment is asked once: askers cost ctdbd nothing.
 * 3. An argument never becomes an option.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { type Problem, problem } from "../api/problem.ts";
import { KeptAnswer } from "../kept_answer.ts";
import {
  TOOL_DOCUMENT_MS_OLD,
  TOOL_DOCUMENTS_KEPT_MAX,
  TOOL_RUNS_AT_ONCE_MAX,
  TOOL_RUNS_WAITING_MAX,
  TOOL_SECONDS_MAX,
} from "../limits.ts";
import type { AdminParts, ToolAnswer } from "../parts.ts";
import { SLOW_COMMANDS_MS_OLD } from "./commands.ts";

export interface ToolRequest {
  readonly command: string;
  readonly node: number | undefined;
  readonly args: readonly string[];
}

type Outcome = Result<object, Problem>;

export class ToolDocuments {
  readonly #parts: Pick<AdminParts, "tool" | "clock">;
  readonly #kept = new Map<string, KeptAnswer<Outcome>>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(parts: Pick<AdminParts, "tool" | "clock">) {
    this.#parts = parts;
  }

  get(request: ToolRequest): Promise<Outcome> {
    const line = commandLine(request);
    const key = JSON.stringify(line);
    const known = this.#kept.get(key);
    if (known !== undefined) return known.get();
    const oldMs = SLOW_COMMANDS_MS_OLD[request.command] ?? TOOL_DOCUMENT_MS_OLD;
    const answer = new KeptAnswer(() => this.#run(line), this.#parts.clock, oldMs);
    this.#keep(key, answer);
    return answer.get();
  }

  /** Of an action: never the answer to an earlier one. */
  act(request: ToolRequest): Promise<Outcome> {
    return this.#run(commandLine(request));
  }

  #keep(key: string, answer: KeptAnswer<Outcome>): void {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= TOOL_DOCUMENTS_KEPT_MAX && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    this.#kept.set(key, answer);
  }

  async #run(line: readonly string[]): Promise<Outcome> {
    if (this.#waiting.length >= TOOL_RUNS_WAITING_MAX) {
      return err(problem(503, "too many questions wait for ctdbd", { headers: SOON }));
    }
    if (this.#running >= TOOL_RUNS_AT_ONCE_MAX) {
      // Who ends hands its place on, so that nobody comes in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return outcomeOf(await this.#parts.tool.run(line));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

const SOON = { "retry-after": "1" };

function commandLine({ command, node, args }: ToolRequest): readonly string[] {
  const where = node === undefined ? [] : ["-n", String(node)];
  return ["--json", "-T", String(TOOL_SECONDS_MAX), ...where, command, ...args];
}

/** Why an argument cannot be one. */
export function argumentProblem(text: string): string | undefined {
  if (text.startsWith("-")) return "expected no option";
  return text.includes("\u0000") ? "expected text without NUL" : undefined;
}

const STATUS_OF_KIND: Readonly<Record<string, number>> = {
  usage: 400,
  "no daemon": 503,
  timeout: 504,
};

function outcomeOf({ text, error, status }: ToolAnswer): Outcome {
  const document = parseObject(text);
  if (document !== undefined) return ok(document);
  const said = parseObject(error)?.["error"] as
    | { readonly kind?: unknown; readonly messages?: unknown }
    | undefined;
  const messages = Array.isArray(said?.messages) ? said.messages.map(String) : lines(error || text);
  const detail = messages.join("; ") || `the tool ended with status ${status}`;
  // The two documents that are the original's have texts as errors.
  const kind = said === undefined ? kindOfText(detail) : String(said.kind);
  return err(problem(STATUS_OF_KIND[kind] ?? 502, detail));
}

function kindOfText(text: string): string {
  if (text.includes("Failed to connect to CTDB daemon")) return "no daemon";
  return text.includes("Maximum runtime exceeded") ? "timeout" : "failed";
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
