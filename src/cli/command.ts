/** What a command is: given a session with a node (or none) and its arguments, an exit status. */
import type { CommandRow } from "./commands.ts";
import type { ToolHost } from "./host.ts";
import type { ToolOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** Of a command that works without a daemon. */
export interface OfflineContext {
  readonly row: CommandRow;
  readonly host: ToolHost;
  readonly options: ToolOptions;
}

export interface CommandContext extends OfflineContext {
  readonly session: Session;
}

/** The result is the exit status; an early end is a thrown CommandFailure. */
export type Command = (context: CommandContext, args: readonly string[]) => Promise<number>;
export type OfflineCommand = (context: OfflineContext, args: readonly string[]) => Promise<number>;

/**
 * Ends a command from any depth. Only the tool's main function catches it; everything it says was
 * said before, or stands in `message`.
 */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly status: number;

  /** `message`: for standard error, without a newline; empty for nothing more to say. */
  constructor(status: number, message = "") {
    super(message);
    this.status = status;
  }
}

/** The arguments are not what the command takes: its usage is shown. */
export class WrongArguments extends Error {
  override readonly name = "WrongArguments";
}

export function expectArguments(args: readonly string[], least: number, most = least): void {
  if (args.length < least || args.length > most) throw new WrongArguments();
}
