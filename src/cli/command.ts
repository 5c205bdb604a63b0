/** What a command is: its row in the table of commands; given a session (or none) and arguments, an exit status. */
import type { ToolHost } from "./host.ts";
import type { ToolOptions } from "./options.ts";
import type { Session } from "./session.ts";

interface RowBase {
  readonly name: string;
  /** As help shows them; empty for none. */
  readonly args: string;
  readonly summary: string;
  /**
   * What --json gives: "original": the original tool's document, whose errors are texts; "facts": ours (json.ts);
   * "acted": that the command, which only acts, has done so.
   */
  readonly json: "original" | "facts" | "acted";
  /** The original tool has no such command: its statuses bind nobody, ours are EXIT_STATUS (failure.ts). */
  readonly ours?: boolean;
  /**
   * What a terminal is asked before (confirm.ts): {1} is the first argument, {node} the node that the command is about.
   * By the first argument where only some forms of the command ask.
   */
  readonly asks?: string | Readonly<Record<string, string>>;
  /** It asks itself, once it knows what would happen. */
  readonly asksItself?: boolean;
  /** It runs until it is told to end, by -T too, which it looks at itself: no other limit is set for it. */
  readonly lasting?: boolean;
}

export type CommandRow = RowBase &
  (
    | (CodeOf<OfflineCommand> & { readonly daemon: false })
    | (CodeOf<Command> & {
        readonly daemon: true;
        /** -n with another node is accepted. */
        readonly remote: boolean;
      })
  );

/** Where a command's code is: `command` is what `module` exports it as. */
interface CodeOf<C> {
  readonly module: () => Promise<Readonly<Record<string, C>>>;
  readonly command: string;
}

export async function loadCommand<C>({ module, command }: CodeOf<C>): Promise<C> {
  return (await module())[command] as C;
}

/** Of a command that works without a daemon. */
export interface OfflineContext {
  readonly row: CommandRow;
  readonly host: ToolHost;
  readonly options: ToolOptions;
}

export interface CommandContext extends OfflineContext {
  readonly session: Session;
}

/** The result is the exit status; an early end is a thrown CommandFailure (failure.ts). */
export type Command = (context: CommandContext, args: readonly string[]) => Promise<number>;
export type OfflineCommand = (context: OfflineContext, args: readonly string[]) => Promise<number>;
