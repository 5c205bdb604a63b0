/** `ctdb reload`: a node reads its configuration again (docs/daemon.md, "Reload"). */
import { EINVAL } from "../../base/errno.ts";
import { decodePadded } from "../../wire/codec.ts";
import { PING_RELOAD } from "../../wire/controls.ts";
import { RELOAD_BYTES_MAX } from "../../wire/limits.ts";
import {
  RELOAD_LINES,
  RELOAD_MAGIC,
  type ReloadReport,
  reloadReport,
} from "../../wire/structs/reload.ts";
import type { Command } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import { printable } from "../format.ts";
import { answerFacts } from "../json.ts";
import type { Facts } from "../schemas/facts.ts";
import type { reloadFacts } from "../schemas/node.ts";
import { okOrThrow, type Session } from "../session.ts";

const FAILED = 1;

export const reload: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const { refused, lines } = await askToReload(session);
  const texts = (kind: number) =>
    lines.filter((line) => line.kind === kind).map(({ text }) => printable(text));
  for (const text of texts(RELOAD_LINES.warning)) host.err(`${text}\n`);
  if (refused !== 0) {
    const reasons = texts(RELOAD_LINES.problem).join("\n");
    throw new CommandFailure(EINVAL, `${reasons}\nNothing was changed`);
  }
  const applied = texts(RELOAD_LINES.applied);
  const restart = texts(RELOAD_LINES.restart);
  if (options.json) {
    const facts = { node: session.target, changed: applied, needs_restart: restart };
    answerFacts(host, facts satisfies Facts<typeof reloadFacts>);
    return 0;
  }
  for (const text of applied) host.out(`Changed: ${text}\n`);
  for (const text of restart) host.out(`Needs a restart: ${text}\n`);
  if (applied.length + restart.length === 0) host.out("Nothing has changed\n");
  return 0;
};

async function askToReload(session: Session): Promise<ReloadReport> {
  const { target } = session;
  const options = { flags: PING_RELOAD };
  const answer = okOrThrow(await session.attempt("PING", undefined, target, options));
  const report =
    answer.data.length > RELOAD_BYTES_MAX ? undefined : decodePadded(reloadReport, answer.data);
  if (report?.ok === true && report.value.magic === RELOAD_MAGIC) return report.value;
  const reason = "it runs another ctdbd, which reads it at its start only";
  throw new CommandFailure(FAILED, `Node ${target} cannot reload its configuration: ${reason}`);
}
