/** A page of the manual, before it is roff. */
import type { Block } from "../base/prose.ts";

export interface PageSection {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface ManualPage {
  readonly name: string;
  readonly section: 1 | 5 | 7;
  /** What apropos shows. */
  readonly summary: string;
  /** Forms of the command line; absent for pages about no program. */
  readonly synopsis?: readonly string[];
  readonly sections: readonly PageSection[];
  /** Other pages, as NAME(SECTION). */
  readonly seeAlso: readonly string[];
}
