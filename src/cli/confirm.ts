/**
 * Before something is taken away a terminal is asked: somebody sits there, and may have mistyped. Scripts, pipes and
 * programs never are.
 *
 * Invariant: whatever else is answered than y or yes means no, the end of the input too.
 */
import type { OfflineContext } from "./command.ts";
import { printable } from "./format.ts";

/** `node`: the one that the command is about. */
export async function isConfirmed(
  { row, host, options }: OfflineContext,
  args: readonly string[],
  node: number | undefined,
): Promise<boolean> {
  const { asks } = row;
  const form = typeof asks === "object" ? asks[args[0] ?? ""] : asks;
  const sentence = form === undefined ? undefined : filledIn(form, args, node);
  // Without its arguments the command ends with its usage.
  return sentence === undefined || (await isAgreed({ host, options }, sentence));
}

/** The same for who first has to find out what would happen. */
export async function isAgreed(
  { host, options }: Pick<OfflineContext, "host" | "options">,
  sentence: string,
): Promise<boolean> {
  if (options.yes || options.dryRun || options.json || options.machine) return true;
  const terminal = await host.terminal();
  if (!terminal.answers) return true;
  host.out(`${sentence}\nContinue? [y/N] `);
  return /^y(es)?$/i.test((await terminal.readLine()).trim());
}

/** undefined when an argument is missing. */
function filledIn(
  form: string,
  args: readonly string[],
  node: number | undefined,
): string | undefined {
  let isComplete = true;
  const sentence = form.replace(/\{(\w+)\}/g, (_, place: string) => {
    const value = place === "node" ? node : args[Number(place) - 1];
    if (value === undefined) isComplete = false;
    return printable(String(value));
  });
  return isComplete ? sentence : undefined;
}
