/** Documents of commands about one node. */
import * as v from "valibot";
import { pnn } from "./facts.ts";

export const pnnFacts = v.strictObject({ pnn });
