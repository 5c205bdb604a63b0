/**
 * One change of the nodes files of several nodes, in two phases.
 *
 *     all have the old file ── prepare everywhere ──▶ all have the new one beside it ── install ──▶ all have the new file
 *                          ◀── drop, when one cannot ──
 *
 * Invariant: nothing is installed before everyone has prepared. So a tool that is killed leaves the old file everywhere,
 * or at least one node that has installed what all others have prepared: `ctdb node repair` tells these apart.
 */
import { CommandFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import type { Answers, LookedAt, NodesFiles } from "./nodes_files.ts";

/** `files`: what was looked at of each node that is to have `text`. */
export async function changeEverywhere(
  session: Session,
  nodesFiles: NodesFiles,
  files: ReadonlyMap<number, LookedAt>,
  text: string,
): Promise<void> {
  const pnns = [...files.keys()];
  const before = (pnn: number) => files.get(pnn)?.present.digest ?? "";
  const prepared = await nodesFiles.each(pnns, (pnn) => ({
    step: "prepare",
    before: before(pnn),
    text,
  }));
  const after = digestOf(prepared, text);
  const problems = problemsOf(pnns, prepared);
  if (after === undefined || problems.length > 0) {
    if (after !== undefined) await nodesFiles.each(pnns, () => ({ step: "drop", after }));
    throw new CommandFailure(1, `${problems.join("\n")}\nNothing was changed`);
  }
  const install = (pnn: number) => ({ step: "install", before: before(pnn), after }) as const;
  // One first: whoever repairs after us finds a node that has decided, or knows that none has.
  const own = await nodesFiles.each([session.pnn], install);
  const failed = problemsOf([session.pnn], own);
  if (failed.length > 0) {
    throw new CommandFailure(1, `${failed.join("\n")}\nRun "ctdb node repair"`);
  }
  const others = pnns.filter((pnn) => pnn !== session.pnn);
  const left = problemsOf(others, await nodesFiles.each(others, install));
  if (left.length === 0) return;
  const advice = `Others have the new nodes file already: run "ctdb node repair"`;
  throw new CommandFailure(1, `${left.join("\n")}\n${advice}`);
}

/** Of what was prepared, wherever it was. */
function digestOf(answers: Answers, text: string): string | undefined {
  for (const { present, next } of answers.values()) {
    const found = [present, next].find((content) => content?.text === text);
    if (found !== undefined && found !== null) return found.digest;
  }
  return undefined;
}

export function problemsOf(pnns: readonly number[], answers: Answers): readonly string[] {
  return pnns.flatMap((pnn) => {
    const answer = answers.get(pnn);
    if (answer === undefined) return [`Node ${pnn} did not answer in time`];
    return answer.refused === null ? [] : [`Node ${pnn} refused: ${answer.refused}`];
  });
}
