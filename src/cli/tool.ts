/**
 * The `ctdb` tool: from a command line to an exit status.
 *
 * Texts and statuses are those of the original tool, which scripts depend on. It must not know what any
 * command does.
 */
import { ETIMEDOUT } from "../base/errno.ts";
import { suggestion } from "../base/suggestion.ts";
import { type CommandRow, loadCommand, type OfflineContext } from "./command.ts";
import { COMMANDS, commandRow } from "./commands.ts";
import { CommandFailure, EXIT_STATUS, type FailureKind, WrongArguments } from "./failure.ts";
import type { ToolHost } from "./host.ts";
import { failureDocument, KeptTexts } from "./json.ts";
import { parseUnsigned32 } from "./numbers.ts";
import { endSession, openSession } from "./open_session.ts";
import {
  type HelpCommandLine,
  OPTIONS,
  parseCommandLine,
  type RunCommandLine,
  type RunLine,
  type ToolOptions,
} from "./options.ts";
import type { Session } from "./session.ts";

const DEFAULT_RUNTIME_SEC = 120;

/** Runs the command line and returns the exit status; all output went to the host. */
export async function runTool(host: ToolHost, args: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(args);
  if (!parsed.ok) return complain(host, parsed.error, args);
  const line = parsed.value;
  if (line.kind !== "run") return await explain(host, line);
  const run: RunLine = (onto, each) => new ToolRun(onto, each).run();
  if (!line.options.everyNode) return await run(host, line);
  const { runOnEveryNode } = await import("./every_node.ts");
  return await runOnEveryNode(host, line, run);
}

/** Of options that could not be read: whether --json is one of them shows only as a word. */
function complain(host: ToolHost, message: string, args: readonly string[]): number {
  if (!args.includes("--json") && !args.includes("-j")) {
    host.err(`${message}\n`);
    return 1;
  }
  const status = EXIT_STATUS.usage;
  host.err(failureDocument(undefined, status, "usage", message.split("\n")));
  return status;
}

/** Behind a command `--help` is about the command; the original knows only its options. */
async function explain(host: ToolHost, { kind, words: [name] }: HelpCommandLine): Promise<number> {
  const usage = await import("./usage.ts");
  if (kind === "usage" || name === undefined) {
    host.out(kind === "help" ? usage.helpText() : usage.shortUsage());
    return 0;
  }
  const row = commandRow(name);
  if (row === undefined) {
    host.err(`${unknownCommand(name)}\n`);
    return 1;
  }
  const { commandHelp } = await import("./manual/help.ts");
  host.out(commandHelp(row, columnsOf(host)));
  return 0;
}

const HELP_COLUMNS = 80;
const HELP_COLUMNS_MAX = 100;

/** What the shell says of the terminal, if it does. */
function columnsOf({ environment }: ToolHost): number {
  const columns = parseUnsigned32(environment["COLUMNS"] ?? "");
  return columns.ok ? Math.min(columns.value, HELP_COLUMNS_MAX) : HELP_COLUMNS;
}

/** The first line is compared by scripts. */
function unknownCommand(name: string): string {
  const near = suggestion(
    name,
    COMMANDS.map((row) => row.name),
  );
  const second = near === undefined ? "" : `\nDid you mean '${near}'?`;
  return `Unknown command '${name}'${second}`;
}

/** One command line: from its options to the exit status, with errors in the form that was asked for. */
class ToolRun {
  readonly #host: ToolHost;
  readonly #line: RunCommandLine;
  readonly #row: CommandRow | undefined;
  /** Set when errors are documents: the host keeps what is said. */
  readonly #kept: KeptTexts | undefined;

  constructor(host: ToolHost, line: RunCommandLine) {
    this.#line = line;
    const { options, words } = line;
    this.#row = words[0] === undefined ? undefined : commandRow(words[0]);
    const ours = this.#row === undefined ? words.length > 0 : this.#row.json !== "original";
    this.#kept = options.json && ours ? new KeptTexts(host) : undefined;
    this.#host = host;
  }

  async run(): Promise<number> {
    const { options, words } = this.#line;
    const lasting = this.#row?.lasting === true;
    const runtimeSec = maxRuntime(this.#host, options, lasting ? 0 : DEFAULT_RUNTIME_SEC);
    if (runtimeSec === undefined) return this.#refuse("Invalid value CTDB_TIMEOUT");
    if (options.json && options.machine) {
      return this.#refuse("--json and -Y options are mutually exclusive");
    }
    const [name, ...rest] = words;
    if (name === undefined) {
      this.#host.out((await import("./usage.ts")).fullUsage());
      return 1;
    }
    const row = this.#row;
    if (row === undefined) return this.#refuse(unknownCommand(name));
    const strange = OPTIONS.find(
      ({ name: option, commands }) =>
        this.#line.given.has(option) && commands?.includes(name) === false,
    );
    if (strange !== undefined) {
      return this.#refuse(`--${strange.name} not supported by the ${name} subcommand`);
    }
    const host = this.#kept?.host ?? this.#host;
    const context = { row, host, options: { ...options, maxruntime: runtimeSec } };
    const limitSec = lasting ? 0 : runtimeSec;
    return await this.#withinRuntime(limitSec, () => this.#guarded(context, rest));
  }

  /** The command line is wrong. */
  #refuse(message: string): number {
    return this.#end("usage", 1, message);
  }

  /** Says what is left to say, and gives the status that the shell sees. */
  #end(kind: FailureKind, status: number, message = ""): number {
    const kept = this.#kept;
    if (message !== "") (kept?.host ?? this.#host).err(`${message}\n`);
    const shown = exitStatusOf(kind, status, kept !== undefined || this.#row?.ours === true);
    if (kept === undefined) return shown;
    const said = kept.lines;
    const silent = said.length === 0 && (shown === 0 || kept.answered);
    if (!silent) this.#host.err(failureDocument(this.#row, shown, kind, said));
    return shown;
  }

  async #withinRuntime(seconds: number, action: () => Promise<number>): Promise<number> {
    if (seconds === 0) return action();
    let expired: (status: number) => void = () => {};
    const limit = new Promise<number>((resolve) => {
      expired = resolve;
    });
    const timer = this.#host.timers.after(seconds * 1000, () => {
      expired(this.#end("timeout", 1, "Maximum runtime exceeded - exiting"));
    });
    const status = await Promise.race([action(), limit]);
    timer.cancel();
    return status;
  }

  /** Runs the command and turns what it throws into messages and the exit status. */
  async #guarded(context: OfflineContext, args: readonly string[]): Promise<number> {
    try {
      const status = await runCommand(context, args);
      return this.#end(status === ETIMEDOUT ? "timeout" : "failed", status);
    } catch (error) {
      if (error instanceof WrongArguments) {
        context.host.out((await import("./usage.ts")).commandUsage(context.row));
        return this.#end("usage", 1);
      }
      if (!(error instanceof CommandFailure)) throw error;
      return this.#end(error.kind, error.status, error.message);
    }
  }
}

/** Seconds from -T, else from CTDB_TIMEOUT, else `otherwise`; 0 means no limit. */
function maxRuntime(host: ToolHost, options: ToolOptions, otherwise: number): number | undefined {
  if (options.maxruntime !== 0) return options.maxruntime;
  const text = host.environment["CTDB_TIMEOUT"];
  if (text === undefined) return otherwise;
  const seconds = parseUnsigned32(text);
  return seconds.ok ? seconds.value : undefined;
}

/** As the shell sees it; −1 is shown as 1. `distinct`: the original has none for this. */
function exitStatusOf(kind: FailureKind, status: number, distinct: boolean): number {
  if (distinct && kind !== "failed") return EXIT_STATUS[kind];
  return status === -1 ? 1 : status & 0xff;
}

async function runCommand(context: OfflineContext, args: readonly string[]): Promise<number> {
  const { row, host, options } = context;
  if (!row.daemon) {
    if (options.node !== -1) {
      throw new CommandFailure(1, `Cannot specify node for command ${row.name}`);
    }
    const command = await loadCommand(row);
    await expectConsent(context, args);
    return acted(context, await command(context, args), null);
  }
  // The command's code is loaded while the connection is made.
  const loading = loadCommand(row);
  const session = await openSession(host, options);
  try {
    await selectNode(session, row, options.node);
    const command = await loading;
    await expectConsent(context, args, session.target);
    return acted(context, await command({ ...context, session }, args), session.target);
  } finally {
    await endSession(session);
  }
}

/** A command that only acts has nothing to show: with --json its success is shown. */
function acted({ row, host }: OfflineContext, status: number, node: number | null): number {
  if (row.json === "acted" && status === 0) host.acted?.(node);
  return status;
}

async function expectConsent(
  context: OfflineContext,
  args: readonly string[],
  node?: number,
): Promise<void> {
  if (context.row.asks === undefined) return;
  const { isConfirmed } = await import("./confirm.ts");
  if (!(await isConfirmed(context, args, node))) throw new CommandFailure(1, "Not done");
}

async function selectNode(
  session: Session,
  row: CommandRow & { readonly daemon: true },
  node: number,
): Promise<void> {
  if (node !== -1) await session.selectTarget(node);
  if (!row.remote && session.target !== session.pnn) {
    throw new CommandFailure(1, `Node cannot be specified for command ${row.name}`);
  }
}
