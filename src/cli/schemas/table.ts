/** The schema of each command's document, by the command's name. */
import type * as v from "valibot";
import { getdbmapFacts, getdbstatusFacts } from "./databases.ts";
import { pnnFacts } from "./node.ts";

export const FACTS: Readonly<Record<string, v.GenericSchema>> = {
  getdbmap: getdbmapFacts,
  getdbstatus: getdbstatusFacts,
  pnn: pnnFacts,
};
