/**
 * `ctdb reload`: the configuration is read again, what a running node takes is applied, and the answer says what
 * changed, what needs a restart, or why nothing was changed (docs/daemon.md, "Reload").
 */
import { LOG_LEVELS } from "../../base/log.ts";
import type { ChangedOption, Reloaded } from "../../config/live_config.ts";
import { OPTIONS } from "../../config/options.ts";
import { problemText } from "../../config/problems.ts";
import { RELOAD_LINES, RELOAD_MAGIC, type ReloadReport } from "../../wire/structs/reload.ts";
import type { DaemonDependencies } from "../dependencies.ts";
import type { NodeState } from "./node_state.ts";

type Needs = Pick<DaemonDependencies, "reloadConfig" | "logLevel" | "log">;
type Line = ReloadReport["lines"][number];

/** undefined where the configuration comes from no file. */
export function reloader(
  { reloadConfig, logLevel, log }: Needs,
  state: NodeState,
): (() => ReloadReport) | undefined {
  if (reloadConfig === undefined) return undefined;
  return () => {
    const outcome = reloadConfig();
    if (!outcome.ok) {
      const texts = outcome.error.map(problemText);
      for (const text of texts) log.error(`Configuration not reloaded: ${text}`);
      return report(
        1,
        texts.map((text) => ({ kind: RELOAD_LINES.problem, text })),
      );
    }
    // The new level decides whether the rest is logged.
    for (const { option } of outcome.value.applied) apply(option, outcome.value, logLevel, state);
    const lines = linesOf(outcome.value);
    for (const { text } of lines) log.notice(`Configuration reloaded: ${text}`);
    return report(0, lines);
  };
}

function report(refused: number, lines: readonly Line[]): ReloadReport {
  return { magic: RELOAD_MAGIC, refused, lines };
}

/** Other options that a running node takes are read from the configuration when they are needed. */
function apply(
  option: ChangedOption["option"],
  { config }: Reloaded,
  logLevel: DaemonDependencies["logLevel"],
  state: NodeState,
): void {
  switch (option as unknown) {
    case OPTIONS.logLevel:
      logLevel.set(LOG_LEVELS[config.logging.logLevel]);
      return;
    case OPTIONS.leaderCapability:
      state.setCapability("RECMASTER", config.cluster.leaderCapability);
      return;
    case OPTIONS.lmasterCapability:
      state.setCapability("LMASTER", config.legacy.lmasterCapability);
      return;
  }
}

function linesOf({ applied, needRestart, warnings }: Reloaded): readonly Line[] {
  const line = (kind: number) => (one: ChangedOption) => ({ kind, text: changeText(one) });
  return [
    ...warnings.map((one) => ({ kind: RELOAD_LINES.warning, text: problemText(one) })),
    ...applied.map(line(RELOAD_LINES.applied)),
    ...needRestart.map(line(RELOAD_LINES.restart)),
  ];
}

function changeText({ path, from, to }: ChangedOption): string {
  return `${path}: "${from}" is now "${to}"`;
}
