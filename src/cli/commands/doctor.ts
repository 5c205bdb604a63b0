/**
 * `ctdb doctor`: what is wrong with this node and its cluster, why that matters, what to do.
 *
 * Works without a daemon too. Says nothing, with status 0, when there is nothing to say; otherwise the worst finding
 * is the status: notes 0, warnings 1, errors 2.
 */

import type { OfflineCommand } from "../command.ts";
import { type Check, SEVERITIES, type Severity } from "../doctor/check.ts";
import { CHECKS } from "../doctor/checks.ts";
import { gatherFacts } from "../doctor/gather.ts";
import { expectArguments } from "../failure.ts";
import { printable } from "../format.ts";
import { answerFacts } from "../json.ts";
import type { DoctorFacts } from "../schemas/doctor.ts";

type Finding = DoctorFacts["findings"][number];

const STATUS: Readonly<Record<Severity, number>> = { error: 2, warning: 1, note: 0 };

export const doctor: OfflineCommand = async ({ host, options }, args) => {
  expectArguments(args, 0);
  const facts = await gatherFacts(host, options);
  const made = CHECKS.filter(({ needsDaemon }) => !needsDaemon || facts.cluster !== undefined);
  const findings = made
    .flatMap((check) => check.find(facts).map((what) => findingOf(check, what)))
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  if (options.json) {
    const node = facts.cluster?.own ?? null;
    const document: DoctorFacts = { node, findings, checks: made.map(({ id }) => id) };
    answerFacts(host, document);
  } else {
    host.out(findings.map(findingText).join(""));
    if (options.verbose) host.out(made.map((check) => examinedText(check, findings)).join(""));
  }
  return Math.max(0, ...findings.map(({ severity }) => STATUS[severity]));
};

/** Sentences quote what files, logs and other nodes say. */
function findingOf({ id, severity, why, remedy }: Check, what: string): Finding {
  return { id, severity, what: printable(what), why, remedy };
}

function findingText({ id, severity, what, why, remedy }: Finding): string {
  return `${severity.toUpperCase()} ${id}: ${what}\n  why: ${why}\n  do: ${remedy}\n`;
}

function examinedText({ id, examines }: Check, findings: readonly Finding[]): string {
  const wrong = findings.some((finding) => finding.id === id);
  return `${wrong ? "found" : "fine"} ${id}: ${examines}\n`;
}
