/** How a command ends before its end: with a status and a message, or with its usage. */
import { ETIMEDOUT } from "../base/errno.ts";

/** Why a command ended early, for programs that read its errors. */
export type FailureKind = "usage" | "no daemon" | "timeout" | "nothing recorded" | "failed";

/** Of what the original tool has no status for: commands of ours, and --json; as <sysexits.h> has them. */
export const EXIT_STATUS = {
  usage: 64,
  "no daemon": 69,
  timeout: 75,
  /** No journal is kept, so that a question about the past has no answer: a matter of configuration. */
  "nothing recorded": 78,
} as const;

/**
 * Ends a command from any depth. Only the tool's main function catches it; everything it says was
 * said before, or stands in `message`.
 */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly status: number;
  readonly kind: FailureKind;

  /** `message`: for standard error, without a newline; empty for nothing more to say. */
  constructor(status: number, message = "", kind: FailureKind = "failed") {
    super(message);
    this.status = status;
    this.kind = kind === "failed" && status === ETIMEDOUT ? "timeout" : kind;
  }
}

/** The arguments are not what the command takes: its usage is shown. */
export class WrongArguments extends Error {
  override readonly name = "WrongArguments";
}

export function expectArguments(args: readonly string[], least: number, most = least): void {
  if (args.length < least || args.length > most) throw new WrongArguments();
}
