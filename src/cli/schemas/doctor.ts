/** Document of `ctdb doctor`. */
import * as v from "valibot";
import { type Facts, pnn } from "./facts.ts";

const finding = v.strictObject({
  id: v.string(),
  severity: v.picklist(["error", "warning", "note"]),
  what: v.string(),
  why: v.string(),
  remedy: v.string(),
});

export const doctorFacts = v.strictObject({
  /** Null without a daemon that answers. */
  node: v.nullable(pnn),
  findings: v.array(finding),
  /** Ids of the checks that were made; the others need a daemon. */
  checks: v.array(v.string()),
});

export type DoctorFacts = Facts<typeof doctorFacts>;
