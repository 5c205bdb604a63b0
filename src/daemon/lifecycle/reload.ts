/**
 * `ctdb reload`: the configuration is read again, what a running node takes is applied, and the answer says what
 * changed, what needs a restart, or why nothing was changed (docs/daemon.md, "Reload").
 */
import type { Journal, JournalActor } from "../../base/journal_event.ts";
import { LOG_LEVELS } from "../../base/log.ts";
import { isOfAdmind } from "../../config/admin_options.ts";
import type { ChangedOption, Reloaded } from "../../config/live_config.ts";
import { OPTIONS } from "../../config/options.ts";
import { problemText } from "../../config/problems.ts";
import { RELOAD_LINES, RELOAD_MAGIC, type ReloadReport } from "../../wire/structs/reload.ts";
import type { DaemonDependencies } from "../dependencies.ts";
import type { NodeState } from "./node_state.ts";

interface Needs extends Pick<DaemonDependencies, "reloadConfig" | "logLevel" | "log"> {
  readonly journal: Journal;
  readonly state: NodeState;
  /** What ctdb-admind is configured with has changed. */
  admindReconfigured(wanted: boolean): void;
}
type Line = ReloadReport["lines"][number];

/** undefined where the configuration comes from no file. */
export function reloader(needs: Needs): ((by: JournalActor) => ReloadReport) | undefined {
  const { reloadConfig, logLevel, log, journal, state } = needs;
  if (reloadConfig === undefined) return undefined;
  return (by) => {
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
    const { applied, appliance } = outcome.value;
    for (const { option } of applied) apply(option, outcome.value, logLevel, state);
    if (applied.length > 0) {
      journal.record({ kind: "configuration", changes: applied.map(changeOf), by });
    }
    if (applied.some(({ option }) => isOfAdmind(option))) {
      needs.admindReconfigured(appliance.admin.enabled);
    }
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

function changeOf({ option, from, to }: ChangedOption) {
  const { section, name } = option;
  const shown = (value: string) => (value === "" ? null : value);
  return { option: `${section}:${name}`, before: shown(from), after: shown(to) };
}
