/** How a command ends before its end: with a status and a message, or with its usage. */

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
