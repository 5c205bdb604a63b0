/** The committed list of suites (suites.txt). */
import { readFileSync } from "node:fs";

export interface Suite {
  readonly name: string;
  /** Short and the same in every run: part of the full test. */
  readonly short: boolean;
  /** All connections go to one node. */
  readonly oneNode: boolean;
}

const LIST = new URL("suites.txt", import.meta.url).pathname;

export function listedSuites(): readonly Suite[] {
  return readFileSync(LIST, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = "", ...marks] = line.split(" ");
      return { name, short: marks.includes("short"), oneNode: marks.includes("one-node") };
    });
}
